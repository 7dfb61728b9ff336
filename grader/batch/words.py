"""The words of a score as they are kept and shown: safe to show, and of limited length.

Names of files, identifiers and messages of exceptions are a student's: they may hold control characters, text
that runs backwards, bytes that are no text, and megabytes.
"""

from __future__ import annotations

from dataclasses import replace

from grader.inside.safe_text import message_text
from grader.records import CheckScore, QuestionScore, Score

MAX_WORDS = 2000  # characters of one message or remark


def safe_words(score: Score) -> Score:
    """Return a score whose messages, remarks and facts are safe to show, and cut where they are too long."""
    return replace(
        score,
        message=safe_text(score.message),
        remarks=tuple(map(safe_text, score.remarks)),
        questions=tuple(map(_question, score.questions)),
    )


def safe_text(text: str, most: int = MAX_WORDS) -> str:
    """Return text without control characters, cut in the middle: what follows a long name is told too."""
    if len(text) > most:
        text = f"{text[: most // 2]} … {text[-most // 2 :]}"
    return message_text(text)


def _question(question: QuestionScore) -> QuestionScore:
    remarks = tuple(map(safe_text, question.remarks))
    return replace(question, remarks=remarks, checks=tuple(map(_check, question.checks)))


def _check(check: CheckScore) -> CheckScore:
    verdict = check.verdict
    facts = tuple((safe_text(name), safe_text(value)) for name, value in verdict.evidence.facts)
    verdict = replace(
        verdict,
        message=safe_text(verdict.message),
        remarks=tuple(map(safe_text, verdict.remarks)),
        evidence=replace(verdict.evidence, facts=facts),
    )
    return replace(check, verdict=verdict)
