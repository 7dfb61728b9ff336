"""What beginners are told of their mistakes: each notebook has another one (`beginners.py`)."""

from __future__ import annotations

import pytest
from student.beginners import BEGINNERS, Beginner
from support_student import reports_of, write_kit_to

from grader.student.isolation import CAN_FORK
from grader.student.kit import Kit
from grader.student.report_lines import MARKS, exit_code, lines_of
from grader.student.worker import way_here

NEEDS_FORK = {"memory", "list_grows_forever", "counts_calls"}


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    kit = write_kit_to(tmp_path_factory.mktemp("kit"))
    return Kit(**{**vars(kit), "seconds": 1.0, "memory_mb": 512})


@pytest.mark.parametrize("beginner", BEGINNERS, ids=lambda beginner: beginner.name)
def test_a_mistake_has_these_signs_and_is_told_in_these_words(kit: Kit, beginner: Beginner) -> None:
    if beginner.name in NEEDS_FORK and not CAN_FORK:
        pytest.skip("calls have a process of their own on Linux")
    report = reports_of(kit, beginner.notebook(), beginner.function, way=way_here())[beginner.function]
    assert "".join(MARKS[finding.kind][0] for finding in report.findings) == beginner.signs
    said = " ".join(" ".join(lines_of(report)).split())
    assert [word for word in beginner.words if word not in said] == [], said
    assert exit_code([report]) == (1 if "✗" in beginner.signs else 2 if "?" in beginner.signs else 0)
