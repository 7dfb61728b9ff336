"""What one check asks for serves the others too: a call is made once."""

from __future__ import annotations

from pathlib import Path

from support import write_course

from grader.plan.load import load_course


def test_a_call_whose_arguments_one_check_wants_back_serves_the_others(tmp_path: Path) -> None:
    write_course(tmp_path)
    plan = load_course("tiny", tmp_path, fresh=True).plan
    values, kept = (check.cases for check in plan.checks)
    assert [case.calls[0].id for case in values] == [case.calls[0].id for case in kept]
    assert all(call.echo for call in plan.calls)
