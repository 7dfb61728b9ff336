"""Messages over one pipe: whole and in the order of each writer, whoever writes at once; garbage ends or waits."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from grader.inside import packets
from grader.inside.packets import MAX_UNFINISHED, MOST, PACKET, BrokenStream, Joiner, write_message

LARGEST = 5 * MOST
SIZES = st.sampled_from([0, 1, MOST - 1, MOST, MOST + 1, 2 * MOST, 3 * MOST + 7])
Writer = tuple[int, int]  # a process, and a thread of it


def cut(message: bytes, process: int) -> list[bytes]:
    """Return the packets of a message, each as it is handed to the system."""
    written: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packets.os, "getpid", lambda: process)
        patch.setattr(packets.os, "write", lambda _, data: written.append(bytes(data)))
        write_message(1, message)
    return written


@st.composite
def conversations(draw: st.DrawFn) -> tuple[dict[Writer, list[bytes]], bytes]:
    """Return what some threads of some processes write, and the bytes of the pipe, mixed as it may happen."""
    writers = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2)), unique=True, max_size=5))
    messages = {
        writer: [
            f"{writer} {number} ".encode().ljust(draw(SIZES), b".")
            for number in range(draw(st.integers(0, 3)))
        ]
        for writer in writers
    }
    waiting = {
        writer: [packet for message in said for packet in cut(message, writer[0])]
        for writer, said in messages.items()
    }
    order = draw(st.permutations([writer for writer, parts in waiting.items() for _ in parts]))
    return messages, b"".join(waiting[writer].pop(0) for writer in order)


def pieces(data: bytes, ends: Iterable[int]) -> Iterator[bytes]:
    """Yield the data in pieces that end where a reader may have stopped."""
    for start, end in pairwise([0, *sorted(end % (len(data) + 1) for end in ends), len(data)]):
        yield data[start:end]


def joined(data: Iterable[bytes], most: int = 1 << 20) -> list[bytes]:
    joiner = Joiner(most)
    return [message for piece in data for message in joiner.feed(piece)]


@given(conversations(), st.lists(st.integers(0, 1 << 20), max_size=8))
def test_messages_of_many_writers_arrive_whole_and_in_the_order_of_each(
    conversation: tuple[dict[Writer, list[bytes]], bytes], ends: list[int]
) -> None:
    messages, data = conversation
    arrived = joined(pieces(data, ends))
    assert sorted(arrived) == sorted(message for said in messages.values() for message in said)
    for writer, said in messages.items():
        assert [each for each in arrived if each.startswith(f"{writer} ".encode())] == said


@given(st.binary(max_size=50), st.integers(0, 3))
def test_a_packet_is_no_longer_than_a_pipe_takes_at_once_and_says_how_long_it_is(
    text: bytes, many: int
) -> None:
    message = text * (many * MOST // 10)
    parts = cut(message, 7)
    assert all(PACKET.size <= len(part) <= select.PIPE_BUF for part in parts)
    assert joined(parts) == [message]


WRITES = """
import os, sys, threading
from grader.inside.packets import write_message

def write(thread):
    for number in range(20):
        text = f"{os.getpid()} {thread} {number} "
        write_message(int(sys.argv[1]), text.encode() + b"x" * 40_000)

threads = [threading.Thread(target=write, args=(n,)) for n in range(2)]
for thread in threads:
    thread.start()
"""


def test_processes_and_their_threads_write_to_one_pipe_at_once() -> None:
    read, write = os.pipe()
    command = [sys.executable, "-c", WRITES, str(write)]
    writers = [subprocess.Popen(command, cwd=ROOT, pass_fds=[write]) for _ in range(3)]
    os.close(write)
    with os.fdopen(read, "rb", buffering=0) as pipe:
        arrived = joined(iter(lambda: pipe.read(1 << 16), b""), 1 << 22)
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert {len(message) - message.index(b"x") for message in arrived} == {40_000}
    numbers: dict[bytes, list[int]] = {}
    for message in arrived:
        process, thread, number, _ = message.split(b" ")
        numbers.setdefault(process + b" " + thread, []).append(int(number))
    assert list(numbers.values()) == [list(range(20))] * 6


def test_a_message_that_an_interrupt_cuts_off_spoils_none_after_it() -> None:
    joiner = Joiner(1 << 20)
    assert list(joiner.feed(b"".join(cut(b"a" * LARGEST, 1)[:2]))) == []
    assert list(joiner.feed(b"".join(cut(b"b" * LARGEST, 1)))) == [b"b" * LARGEST]


@contextmanager
def broken() -> Iterator[None]:
    with pytest.raises(BrokenStream):
        yield


@pytest.mark.parametrize("extra", [0, 1])
def test_a_message_may_be_as_long_as_it_may_be_and_no_longer(extra: int) -> None:
    data = cut(bytes(LARGEST + extra), 1)
    if extra:
        with broken():
            joined(data, LARGEST)
    else:
        assert joined(data, LARGEST) == [bytes(LARGEST)]


def test_the_longest_message_counts_together_with_all_that_have_not_ended() -> None:
    first, second = (cut(bytes(LARGEST), process) for process in (1, 2))
    with broken():
        joined([*first[:-1], *second[:-1]], LARGEST)


def test_only_so_many_messages_may_have_not_ended() -> None:
    begun = [PACKET.pack(1, number, 1, False) + b"x" for number in range(MAX_UNFINISHED + 1)]
    assert joined(begun[:-1]) == []
    with broken():
        joined(begun)


def test_a_packet_longer_than_any_of_ours_is_refused_before_its_bytes_arrive() -> None:
    with broken():
        joined([PACKET.pack(1, 1, MOST + 1, True)])


PACKETS = st.builds(
    lambda process, number, data, last: PACKET.pack(process, number, len(data), last) + data,
    st.integers(0, 2),
    st.integers(0, 3),
    st.binary(max_size=300),
    st.booleans(),
)
HEADS = st.builds(PACKET.pack, st.integers(0, 2), st.integers(0, 3), st.integers(0, 0xFFFF), st.booleans())


@given(st.lists(PACKETS) | st.lists(PACKETS | HEADS | st.binary(max_size=40)), st.integers(1, 5000))
def test_garbage_ends_the_conversation_or_waits_for_more_and_takes_no_memory(
    data: list[bytes], most: int
) -> None:
    joiner, arrived, given_bytes = Joiner(most), 0, 0
    try:
        for piece in data:
            given_bytes += len(piece)
            for message in joiner.feed(piece):
                assert len(message) <= most
                arrived += len(message)
            kept = len(joiner._bytes) + sum(map(len, joiner._parts.values()))
            assert kept <= most + PACKET.size + MOST
            assert kept + arrived <= given_bytes, "there is more than was sent"
            assert len(joiner._parts) <= MAX_UNFINISHED
    except BrokenStream:
        pass


def test_an_endless_message_takes_no_more_memory_than_the_longest() -> None:
    joiner, packet = Joiner(LARGEST), PACKET.pack(1, 1, MOST, False) + bytes(MOST)
    with broken():
        for _ in range(100):
            assert list(joiner.feed(packet)) == []
            assert sum(map(len, joiner._parts.values())) <= LARGEST


def test_a_message_that_nobody_reads_is_an_error_for_its_writer() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        with pytest.raises(BrokenPipeError):
            write_message(write, b"x")
    finally:
        os.close(write)
