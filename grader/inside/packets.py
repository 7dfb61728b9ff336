"""Messages over a pipe that several processes write to: each in packets that the system writes as one.

    message  -->  packets of at most 4096 bytes, each with its sender  -->  pipe  -->  Joiner  -->  messages

A process that a notebook has forked writes to the same pipe as the kernel: as no packet is torn apart, what
two processes write at once can be told apart.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

PACKET = struct.Struct("<IH?")  # the sender, the number of bytes that follow, whether its message ends here
MOST = 4096 - PACKET.size  # POSIX: a pipe takes up to 4096 bytes at once
MAX_SENDERS = 64


class BrokenStream(Exception):  # noqa: N818 -- it says what has happened
    """Bytes that are no packets, or a message that is longer than it may be."""


def write_message(fd: int, message: bytes) -> None:
    """Write a message to a pipe, in packets; raises OSError if nobody reads it."""
    sender = os.getpid()
    for start in range(0, len(message) or 1, MOST):
        part = message[start : start + MOST]
        last = start + MOST >= len(message)
        os.write(fd, PACKET.pack(sender, len(part), last) + part)


class Joiner:
    """Makes messages of at most `most` bytes from the bytes of a pipe."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._bytes = bytearray()
        self._parts: dict[int, bytearray] = {}

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the messages that end in the data; raises BrokenStream for what no kernel of ours sends."""
        self._bytes += data
        start = 0
        try:
            while len(self._bytes) - start >= PACKET.size:
                sender, size, last = PACKET.unpack_from(self._bytes, start)
                if size > MOST:
                    raise BrokenStream("a packet is longer than any that the kernel sends")
                end = start + PACKET.size + size
                if len(self._bytes) < end:
                    return
                parts = self._parts.setdefault(sender, bytearray())
                parts += self._bytes[start + PACKET.size : end]
                if sum(map(len, self._parts.values())) > self.most or len(self._parts) > MAX_SENDERS:
                    raise BrokenStream("a message is longer than it may be")
                start = end
                if last:
                    yield bytes(self._parts.pop(sender))
        finally:
            del self._bytes[:start]
