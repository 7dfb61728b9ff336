"""What is kept of a hand-in for people who read it: plain data, by question."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GivenAnswer:
    """What a person reads of one question: a written answer, or the code of a function; `html` is safe.

    `text` is that of a written answer. Answers with the same `alike` are equal, or are functions with equal
    results; '' is alike to nothing. `seen` is a digest of all of it: another one says that the hand-in has
    changed. The answer to the question '' is the text of the whole hand-in.
    """

    question: str
    text: str
    html: str
    alike: str
    seen: str
