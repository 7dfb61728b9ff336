"""A diagnosis in words: what the mistake is, how sure that is, and what helps to find it.

    named        one mistake, or several made together, with the teaching message
    ambiguous    the mistakes that fit equally well, without a message, which may be the wrong one
    unknown      nothing for a student; one line for a teacher

The text depends on the diagnosis alone, so it cannot reveal the hidden inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.records import Diagnosis, DiagnosisKind

SHOWN = 3


@dataclass(frozen=True)
class Explanation:
    """A diagnosis in words: a heading (`lead`), the mistakes, how `sure` it is, a message that helps."""

    lead: str
    mistakes: tuple[str, ...]
    sure: str
    message: str = ""
    credit: str = ""


def explain(diagnosis: Diagnosis | None) -> Explanation | None:
    """Return the explanation for a student, or None if no known mistake fits."""
    if diagnosis is None or diagnosis.kind is DiagnosisKind.UNKNOWN:
        return None
    where = "every input" if not diagnosis.inputs else f"the {diagnosis.inputs} inputs that gave numbers"
    if diagnosis.kind is DiagnosisKind.NAMED:
        if len(diagnosis.names) > 1:
            lead = "What the mistakes seem to be, made together"
            sure = f"Together they explain your results on {where}, and no other known mistakes do."
        else:
            lead = "What the mistake seems to be"
            sure = f"It explains your results on {where}, and no other known mistake does."
        share = f"{100 * diagnosis.credit:.3g}\N{NO-BREAK SPACE}%"
        credit = f"The checks on the values count at least {share}." if diagnosis.credit else ""
        return Explanation(lead, tuple(map(sentence, diagnosis.names)), sure, diagnosis.message, credit)

    more = len(diagnosis.names) - SHOWN
    sure = "Your results do not tell them apart" + (f", and {more} more fit too." if more > 0 else ".")
    names = tuple(map(sentence, diagnosis.names[:SHOWN]))
    return Explanation("The mistake seems to be one of these", names, sure)


def evidence(diagnosis: Diagnosis) -> str:
    """Return, for a teacher, the codes of the mistakes and how well they fit the results."""
    if diagnosis.kind is DiagnosisKind.UNKNOWN:
        return "unknown: the results fit no known mistake"
    joint = " + " if diagnosis.kind is DiagnosisKind.NAMED else " or "
    return (
        f"{diagnosis.kind.value}: {joint.join(diagnosis.codes)} (residual {diagnosis.residual:.1e}, "
        f"next best explanation {diagnosis.margin:.1e})"
    )


def sentence(name: str) -> str:
    """Return the name of a mistake as a sentence; a name that begins with a symbol keeps its case."""
    whole = name[:1].upper() + name[1:] if name.partition(" ")[0].rstrip(",").isalpha() else name
    return whole if whole.endswith((".", "!", "?")) else whole + "."
