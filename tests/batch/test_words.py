"""What a student chose is neither a command of a terminal nor a megabyte in a score."""

from __future__ import annotations

from grader.batch.words import MAX_WORDS, safe_words
from grader.records import (
    CheckScore,
    Evidence,
    QuestionScore,
    Score,
    Status,
    Summary,
    Verdict,
    VerdictKind,
)


def filled(text: str) -> Score:
    verdict = Verdict(VerdictKind.FAILED, 0.0, text, "c", Evidence(((text, text),)), (text,))
    check = CheckScore("c", "t", 0.0, 1.0, True, verdict)
    question = QuestionScore("q", "t", 0.0, 1.0, (check,), (text,))
    return Score("anna", Status.GRADED, Summary.WRONG, (question,), text, (text,))


def words(score: Score) -> list[str]:
    (question,) = score.questions
    verdict = question.checks[0].verdict
    return [
        score.message,
        *score.remarks,
        *question.remarks,
        verdict.message,
        *verdict.remarks,
        *verdict.evidence.facts[0],
    ]


def test_all_words_of_a_score_are_made_safe() -> None:
    found = words(safe_words(filled("\x1b]0;x\x07\u202e\udcff")))
    assert found == ["\ufffd]0;x\ufffd\ufffd\ufffd"] * 7


def test_all_words_of_a_score_are_cut_in_the_middle() -> None:
    for text in words(safe_words(filled("It reads " + "a" * (1 << 20) + " from the notebook."))):
        assert len(text) < MAX_WORDS + 10
        assert text.startswith("It reads a")
        assert text.endswith("a from the notebook.")


def test_other_words_stay_as_they_are() -> None:
    score = filled("Größe: 3 × 4\n\t∑ é")
    assert safe_words(score) == score
