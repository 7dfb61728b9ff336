"""The codes of verdicts in words, for people."""

from __future__ import annotations

from grader.records import Code, OutcomeKind

# Codes of verdicts that name no mistake.
SILENT = frozenset(
    {
        "",
        OutcomeKind.MISSING,
        OutcomeKind.NOT_ATTEMPTED,
        OutcomeKind.GRADER_FAULT,
        Code.VALUES,
        Code.FOLLOW_THROUGH,
        Code.COSTS_ONCE,
        Code.RIGHT_BY_ITSELF,
        Code.BLOCKED,
        Code.NOT_CHECKED,
        Code.NOT_JUDGED,
        Code.NOT_CALLED,
    }
)
WORDS: dict[str, str] = {
    OutcomeKind.RAISED: "an exception",
    OutcomeKind.CPU_TIMEOUT: "too slow",
    OutcomeKind.WALL_TIMEOUT: "too slow",
    OutcomeKind.OUT_OF_MEMORY: "too much memory",
    OutcomeKind.KILLED_BY_SIGNAL: "it ended its process",
    OutcomeKind.UNDECODABLE: "no numbers or arrays returned",
    OutcomeKind.OUTPUT_TOO_LARGE: "too large a result",
    Code.STRUCTURE: "another kind of result",
    Code.SHAPE: "wrong shape",
    Code.NOT_FINITE: "NaN or infinity",
    Code.OTHER_ORDER: "the parts in another order",
    Code.MASKED: "masked entries",
    Code.COMPLEX: "complex numbers",
    Code.ZERO: "all zeros",
    Code.CONSTANT: "the same for every input",
    Code.BELOW_TARGET: "not good enough",
    Code.UNMEASURABLE: "a result that cannot be measured",
    Code.OTHER_EXCEPTION: "another exception than asked for",
    Code.NO_EXCEPTION: "no exception where one was asked for",
    Code.FORBIDDEN: "a forbidden function",
    Code.FOLLOW_THROUGH_UNDECIDED: "perhaps right with the own other functions",
    Code.INCONCLUSIVE: "not decided",
    "sums_to_one": "the entries do not sum to one",
    "sums_to_zero": "the rows do not sum to zero",
    "symmetric": "not symmetric",
    "zero_diagonal": "the diagonal is not zero",
    "nonnegative": "negative entries",
    "in_unit_interval": "entries outside [0, 1]",
    "input_not_mutated": "the input was changed",
    "deterministic": "two equal calls differ",
    "translation_invariant": "it changes when the points move",
    "rotation_equivariant": "it does not turn with the points",
    "permutation_equivariant": "it does not follow the order of the points",
}


def code_words(code: str) -> str:
    """Return a code in words; a code that is not known here, of a plug-in, without its underscores."""
    return WORDS.get(code, code.replace("_", " "))
