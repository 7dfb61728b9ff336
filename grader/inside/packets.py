"""Messages over a pipe that several processes write to: each in packets that the system writes as one.

    message  -->  packets of at most 4096 bytes, numbered  -->  pipe  -->  Joiner  -->  message

A process that a notebook has forked writes to the same pipe as the kernel, and so does a thread: as no packet
is torn apart, what two of them write at once can be told apart. A message that an interrupt cuts off stays
incomplete, and spoils no other.
"""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Iterator

# the process and its number of the message, the number of bytes that follow, whether the message ends here
PACKET = struct.Struct("<IIH?")
MOST = 4096 - PACKET.size  # POSIX: a pipe takes up to 4096 bytes at once
MAX_UNFINISHED = 64  # messages
NUMBERS = itertools.count()


class BrokenStream(Exception):  # noqa: N818 -- it says what has happened
    """Bytes that are no packets, or a message that is longer than it may be."""


def write_message(fd: int, message: bytes) -> None:
    """Write a message to a pipe, in packets; raises OSError if nobody reads it."""
    process, number = os.getpid(), next(NUMBERS) % (1 << 32)
    for start in range(0, len(message) or 1, MOST):
        part = message[start : start + MOST]
        last = start + MOST >= len(message)
        os.write(fd, PACKET.pack(process, number, len(part), last) + part)


class Joiner:
    """Makes messages of at most `most` bytes from the bytes of a pipe."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._bytes = bytearray()
        self._parts: dict[tuple[int, int], bytearray] = {}

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the messages that end in the data; raises BrokenStream for what no kernel of ours sends."""
        self._bytes += data
        start = 0
        try:
            while len(self._bytes) - start >= PACKET.size:
                process, number, size, last = PACKET.unpack_from(self._bytes, start)
                if size > MOST:
                    raise BrokenStream("a packet is longer than any that the kernel sends")
                end = start + PACKET.size + size
                if len(self._bytes) < end:
                    return
                parts = self._parts.setdefault((process, number), bytearray())
                parts += self._bytes[start + PACKET.size : end]
                if sum(map(len, self._parts.values())) > self.most or len(self._parts) > MAX_UNFINISHED:
                    raise BrokenStream("a message is longer than it may be")
                start = end
                if last:
                    yield bytes(self._parts.pop((process, number)))
        finally:
            del self._bytes[:start]
