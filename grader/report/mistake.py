"""What a diagnosis says to people: how sure it is, what the mistake is, and what helps to find it.

    named        one mistake, or several made together, and the teaching message
    ambiguous    the few that fit equally well, and no message: it would lead astray
    unknown      nothing to a student; a word to a teacher

Nothing of it comes from the hidden inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.records import Diagnosis, DiagnosisKind

SHOWN = 3


@dataclass(frozen=True)
class Explanation:
    """A diagnosis in words: the `lead`, the mistakes as a list, how `sure` it is, and what helps."""

    lead: str
    mistakes: tuple[str, ...]
    sure: str
    message: str = ""
    credit: str = ""


def explain(diagnosis: Diagnosis | None) -> Explanation | None:
    """Return what to tell a student, None where there is nothing that would help."""
    if diagnosis is None or diagnosis.kind is DiagnosisKind.UNKNOWN:
        return None
    return _named(diagnosis) if diagnosis.kind is DiagnosisKind.NAMED else _ambiguous(diagnosis)


def evidence(diagnosis: Diagnosis) -> str:
    """Return the codes and how near they are, for a teacher."""
    if diagnosis.kind is DiagnosisKind.UNKNOWN:
        return "unknown: the results fit no known mistake"
    joint = " + " if diagnosis.kind is DiagnosisKind.NAMED else " or "
    return (
        f"{diagnosis.kind.value}: {joint.join(diagnosis.codes)} (residual {diagnosis.residual:.1e}, "
        f"next best explanation {diagnosis.margin:.1e})"
    )


def sentence(name: str) -> str:
    """Return the name of a mistake as a sentence; a symbol at its beginning stays as it is."""
    whole = name[:1].upper() + name[1:] if name.partition(" ")[0].rstrip(",").isalpha() else name
    return whole if whole.endswith((".", "!", "?")) else whole + "."


def _named(diagnosis: Diagnosis) -> Explanation:
    several = len(diagnosis.names) > 1
    lead = "What the mistakes seem to be, made together" if several else "What the mistake seems to be"
    sure = (
        "Together they explain your results on every input, and no other known mistakes do."
        if several
        else "It explains your results on every input, and no other known mistake does."
    )
    share = f"{100 * diagnosis.credit:.3g}\N{NO-BREAK SPACE}%"
    credit = f"The checks on the values count at least {share}." if diagnosis.credit else ""
    return Explanation(lead, tuple(map(sentence, diagnosis.names)), sure, diagnosis.message, credit)


def _ambiguous(diagnosis: Diagnosis) -> Explanation:
    more = len(diagnosis.names) - SHOWN
    sure = "Your results do not tell them apart" + (f", and {more} more fit too." if more > 0 else ".")
    names = tuple(map(sentence, diagnosis.names[:SHOWN]))
    return Explanation("The mistake seems to be one of these", names, sure)
