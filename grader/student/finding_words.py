"""Says what a function did that made a check fail: at home a student may read more than the grading tells.

The numbers of an error are those of a public input, so they are shown; a misspelt name gets its suggestion.
"""

from __future__ import annotations

import builtins
import difflib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from grader.checks.base import Check, Outcomes, PlannedCase, ValueCheck, returned
from grader.checks.gradient import GradientCase
from grader.checks.outcomes import explain, where
from grader.checks.result import CaseResult
from grader.numerics.arrays import as_array, dense
from grader.numerics.in_words import describe
from grader.reading import FunctionFacts
from grader.records import Code, Fault, Outcome, OutcomeKind
from grader.student.kit import KitFunction

ALIKE = 0.75  # of a name and the one that was meant, from 0 to 1
ALIASES = {
    "np": "numpy",
    "plt": "matplotlib.pyplot",
    "sp": "scipy.sparse",
    "pd": "pandas",
    "la": "numpy.linalg",
}
PRODUCT = re.compile(r"matmul: .* core dimension 0, .*\(size (\d+) is different from (\d+)\)")
IN_PLACE = re.compile(r"Cannot cast ufunc '\w+' output from dtype\('float\d+'\) to dtype\('u?int\d+'\)")
MOST = 1000  # times the right number that are told
CLOSE = 1e-6  # relative difference of two numbers that are the same


def in_words(
    check: Check,
    cases: Sequence[PlannedCase],
    outcomes: Outcomes,
    shown: tuple[PlannedCase, CaseResult],
    known: tuple[KitFunction, Callable[..., Any], FunctionFacts],
    names: Iterable[str],
) -> str:
    """Say what was found on the input that is `shown`, one of the cases of a check.

    `known` is what is known of the function, `names` are those of all functions of the assignment.
    """
    case, result = shown
    function, target, facts = known
    outcome = outcomes[case.calls[0].id]
    if taken := _other_arguments(function, target, case):
        return taken
    if outcome.kind is not OutcomeKind.RETURNED:
        found = how_it_failed(outcome, names)
    else:
        found = _about_form(check, case, outcome.value, result) or _about_numbers(check, cases, outcomes)
        array = as_array(outcome.value)
        if result.code == Code.ZERO and array is not None and array.dtype.kind in "iu":
            found = f"{result.message}, and its entries are integers: were fractions cut off?"
    found = found or result.message
    if facts.stand_ins:
        own = list(inspect.signature(target).parameters)
        reads = " and ".join(
            f"{name} of the notebook, not its argument {own[place]}" for name, place in facts.stand_ins
        )
        return f"it reads {reads}; {found}"
    if facts.notebook_globals:
        return f"{found}; it reads {' and '.join(facts.notebook_globals)} of the notebook, no argument"
    return found


def how_it_failed(outcome: Outcome, names: Iterable[str]) -> str:
    """Return a sentence on a call that gave no value."""
    fault = outcome.fault
    if fault is None:
        return explain(outcome)
    place = where(fault)
    message = fault.message.strip()
    if outcome.kind is OutcomeKind.CPU_TIMEOUT:
        found = f"it did not finish in time, and the grading would stop it too{place}"
    elif outcome.kind is OutcomeKind.WALL_TIMEOUT:
        found = "it did not finish in time, and the grading would stop it too"
    elif outcome.kind is OutcomeKind.OUT_OF_MEMORY:
        found = "it needs more memory than there is" + (f": {_lower(message)}" if message else "") + place
    elif outcome.kind is OutcomeKind.KILLED_BY_SIGNAL:
        found = f"it ended its own process ({fault.type})"
    elif outcome.kind is OutcomeKind.UNDECODABLE and "generator" in message:
        found = "it returned a generator: does it say yield where return is meant?"
    elif outcome.kind is not OutcomeKind.RAISED:
        found = explain(outcome)
    elif fault.type == "SystemExit":
        found = f"it ends the program, by exit() or quit(){place}"
    elif fault.type == "EOFError" and "input" in fault.code:
        found = f"it asks for input, and nobody answers when it is checked or graded{place}"
    else:
        missing = re.fullmatch(r"name '(\w+)' is not defined", message)
        near = difflib.get_close_matches(missing[1], names, 1, ALIKE) if missing else []
        message += f". Did you mean {near[0]}?" if near else ""
        if sizes := PRODUCT.search(message):
            columns, rows = (
                f"{n} {noun}{'s' * (n != '1')}" for n, noun in ((sizes[2], "column"), (sizes[1], "row"))
            )
            message = f"the factors of @ do not fit: the left has {columns}, the right {rows}"
        elif IN_PLACE.search(message):
            message = "fractions cannot be written into an array of integers"
        found = f"it raised {fault.type}{': ' if message else ''}{message}{place}"
    return found


def suggestion(error: BaseException, code: str) -> str:
    """Return what may have been meant by a name that is not there, or is no function; '' if nothing is.

    `code` is the line that raised the error.
    """
    if isinstance(error, TypeError) and str(error).endswith("object is not callable"):
        called = re.findall(r"\b([A-Za-z_]\w*)\s*\(", code)
        known = dict(_visible(error))
        own = [name for name in called if name in known and not callable(known[name])]
        return f": {own[0]} is no function here, but {describe(known[own[0]])}" if own else ""
    wanted = getattr(error, "name", None)
    if not isinstance(wanted, str):
        return ""
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        module = ALIASES.get(wanted, wanted)
        if wanted in ALIASES or wanted in sys.stdlib_module_names or wanted in sys.modules:
            statement = f"import {module}" + (f" as {wanted}" if module != wanted else "")
            return f". Was it meant to be imported ({statement})?"
        names = {name for name, _ in _visible(error)}
    elif isinstance(error, AttributeError):
        try:
            names = {name for name in dir(error.obj) if not name.startswith("_")}
        except Exception:  # an object of the student's own may refuse
            return ""
    else:
        return ""
    near = difflib.get_close_matches(wanted, names - {wanted}, 1, ALIKE)
    return f". Did you mean {near[0]}?" if near else ""


def _visible(error: BaseException) -> Iterator[tuple[str, Any]]:
    """Yield the names that the line which raised an error could have used, and what they refer to.

    Where a name comes again, the last one counts.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    yield from vars(builtins).items()
    if trace is not None:
        yield from ((name, each) for name, each in trace.tb_frame.f_globals.items() if name[:1] != "_")
        yield from trace.tb_frame.f_locals.items()


def _other_arguments(function: KitFunction, target: Callable[..., Any], case: PlannedCase) -> str:
    """Say that a function takes other arguments than it is called with, '' if it takes them."""
    if inspect.isclass(target):
        return ""
    try:
        signature = inspect.signature(target)
        own = tuple(signature.parameters)
        signature.bind(*case.inputs.args)
        fits = own == function.parameters or sorted(own) != sorted(function.parameters)
    except ValueError:
        return ""
    except TypeError:
        fits = False
    if fits:
        return ""
    return (
        f"it takes ({', '.join(own)}), but it is called with ({', '.join(function.parameters)}), "
        "as it was handed out"
    )


def _about_form(check: Check, case: PlannedCase, value: Any, result: CaseResult) -> str:
    """Say in what form a result differs, where the judge says less; '' for the right form."""
    output = check.output if isinstance(check, ValueCheck) else None
    several = isinstance(value, tuple | list)
    parts = getattr(check, "wrt", ())
    if output is not None and not (several and len(value) > output):
        needed = f" of at least {output + 1}" if output or several else ""
        return f"it returned {describe(value)}, not a tuple{needed}"
    if len(parts) > 1 and not (several and len(value) == len(parts)):
        return f"it returned {describe(value)}, not a tuple of {len(parts)} arrays ({', '.join(parts)})"
    shapes = [part.shape for part in case.numeric.parts] if isinstance(case, GradientCase) else []
    mine = [as_array(part) for part in value] if len(parts) > 1 else []
    own = [part.shape for part in mine if part is not None]
    if own != shapes and sorted(own) == sorted(shapes):
        return f"its parts have the right shapes in another order: is it ({', '.join(parts)})?"
    got = dense(value if output is None else value[output])
    right = dense(getattr(case, "expected", None))
    found = ""
    if got is not None and got.ndim == 0 and result.code == Code.NOT_CHECKED:
        found = "it returned a number, of which this cannot be said"
    elif got is not None and right is not None and got.shape != right.shape:
        if got.ndim == 0:
            found = f"it returned a number where an array of shape {right.shape} is expected"
        elif getattr(check, "form_only", False):
            found = f"it has the shape {got.shape} where {right.shape} is expected"
    return found


def _about_numbers(check: Check, cases: Sequence[PlannedCase], outcomes: Outcomes) -> str:
    """Say how a number differs from the right one on all inputs; '' if the results are no numbers."""
    output = check.output if isinstance(check, ValueCheck) else None
    numbers = []
    for case in cases:
        got = returned(case.calls[0], outcomes, output)
        mine, right = dense(got.value), dense(getattr(case, "expected", None))
        if got.failed or mine is None or right is None or mine.ndim or right.ndim:
            return ""
        if mine.dtype.kind not in "biuf" or right.dtype.kind not in "biuf":
            return ""
        if np.isnan(mine):
            return "it is NaN: there is a 0/0, a 0 times log(0) or the root of a negative number in it"
        if np.isinf(mine):
            return "it is infinite: something is divided by 0, or it is the log of 0"
        numbers.append((float(mine), float(right)))
    if not any(mine for mine, _ in numbers):
        return "it is zero"
    factors = [mine / right if right else np.nan for mine, right in numbers]
    counts = [1 / factor if 0.0 < factor < 1.0 else factor for factor in factors]
    if len(factors) > 1 and np.allclose(factors, factors[0], rtol=CLOSE, atol=0.0):
        found = f"it is right up to the constant factor {factors[0]:.4g}"
        found = "it has the wrong sign" if abs(factors[0] + 1) < CLOSE else found
    elif len(factors) > 1 and all(abs(n - round(n)) < CLOSE and 1 < n < MOST for n in counts):
        times = [
            f"1/{n:.0f}" if factor < 1.0 else f"{n:.0f}" for n, factor in zip(counts, factors, strict=True)
        ]
        found = f"it is {', '.join(times[:-1])} and {times[-1]} times the right number, input by input"
    elif any(right % 1 for _, right in numbers) and all(mine == np.trunc(right) for mine, right in numbers):
        found = "it is a whole number: the fraction is cut off"
    elif all(abs(mine - right**2) < CLOSE * abs(right**2) for mine, right in numbers):
        found = "it is the square of the right number"
    elif all(abs(mine**2 - right) < CLOSE * abs(right) for mine, right in numbers):
        found = "it is the root of the right number"
    else:
        found = "it is another number"
    return found


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def suggested(error: BaseException, fault: Fault) -> str:
    """Return the message of an error, with what may have been meant."""
    try:
        return fault.message + suggestion(error, fault.code)
    except Exception:  # whatever an error of the student's own class does
        return fault.message
