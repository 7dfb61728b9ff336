"""What a fork of the student's process answers, and how it may end."""

from __future__ import annotations

import os
import select
from typing import Any

import pytest

from grader.student import isolation
from grader.student.isolation import CAN_FORK, Ended, forked

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="there is no fork here")


def test_an_answer_that_comes_between_a_look_and_the_end_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def looks_too_early(*watched: Any) -> Any:
        looks.append(watched)
        if len(looks) == 1:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            return [], [], []
        return select.select(*watched)

    class Module:
        select = staticmethod(looks_too_early)

    monkeypatch.setattr(isolation, "select", Module)
    assert forked(lambda: b"the answer", 5.0) == b"the answer"
    assert len(looks) > 1


@pytest.mark.parametrize("length", [0, 1, 300_000])
def test_an_answer_of_any_length_is_read_whole(length: int) -> None:
    assert forked(lambda: b"x" * length, 5.0) == b"x" * length


def test_a_fork_that_ends_without_an_answer_is_told() -> None:
    def ends() -> bytes:
        os._exit(3)

    found = forked(ends, 5.0)
    assert isinstance(found, Ended)
    assert (found.how, found.late) == ("exit code 3", False)
