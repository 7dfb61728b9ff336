"""Translates formulas from TeX to typst with pandoc, and lets through only what sets mathematics.

pandoc writes what it cannot read as text; such a formula, one that runs out of time, and one whose
translation holds anything but mathematics comes back as "" and is shown as its TeX.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from grader.pdf.formulas.tidy import too_deep

Formula = tuple[str, bool]
SECONDS, SECONDS_ALONE, SECONDS_ALL_ALONE = 30.0, 4.0, 40.0
ALLOWED_CODE = re.compile(
    r"#(?:scale\(x: [\d.]+%, y: [\d.]+%\)\[|box\(stroke: black, inset: [\d.]+pt, \[|hide\[|none(?![\w.(])"
    r"|h\(-?[\d.]+em\))"
)
TOKEN = re.compile(r"\\.|\"(?:[^\"\\]|\\.)*\"|\"|#|//|/\*|`|(?<![\w.])std(?!\w)", re.S)
NAMED_AS_TEXT = re.compile(
    r"#scale\([^()]*\)\[([a-z]+(?:\.[a-z]+)*)\]"
)  # a symbol's name would be set as words
FORBIDDEN = ("//", "/*", "`", "std", '"')


def translate(formulas: Sequence[Formula]) -> list[str]:
    """Return the typst of each formula, "" for one that cannot be set."""
    wanted = sorted({formula for formula in formulas if formula[0] and not too_deep(formula[0])})
    written = _pandoc(wanted, SECONDS) if wanted else []
    if written is None:
        written = _one_by_one(wanted)
    done = {formula: _checked(typst) for formula, typst in zip(wanted, written, strict=True)}
    return [done.get(formula, "") for formula in formulas]


def is_mathematics(typst: str) -> bool:
    """Say whether a text is typst mathematics that calls nothing but what sets formulas.

    Outside of strings and escapes there may be no code (`#`) but a few forms of pandoc's own, no comment,
    no raw text and no `std`, through which mathematics could reach `read`.
    """
    if len(typst) < 3 or typst[0] != "$" or typst[-1] != "$":
        return False
    for token in TOKEN.finditer(typst):
        if token[0] in FORBIDDEN or (token[0] == "#" and not ALLOWED_CODE.match(typst, token.start())):
            return False
    return True


def _checked(typst: str) -> str:
    one_line = " ".join(typst.split("\n")).strip()
    one_line = re.sub(r"\$\s*<[^<>$]*>$", "$", one_line)  # pandoc's label of a formula
    one_line = NAMED_AS_TEXT.sub(r"\1", one_line)
    return one_line if is_mathematics(one_line) else ""


def _one_by_one(formulas: Sequence[Formula]) -> list[str]:
    """Translate formulas one at a time, because one of them spoils the others."""
    end = time.monotonic() + SECONDS_ALL_ALONE
    results = []
    for formula in formulas:
        alone = _pandoc([formula], SECONDS_ALONE) if time.monotonic() < end else None
        results.append(alone[0] if alone else "")
    return results


def _pandoc(formulas: Sequence[Formula], seconds: float) -> list[str] | None:
    """Return what pandoc writes for each formula; None if it fails or takes too long."""
    import pypandoc  # noqa: PLC0415 -- looks for the program when imported

    program = pypandoc.get_pandoc_path()
    script = str(Path(str(resources.files(__package__))) / "translate.lua")
    try:
        done = subprocess.run(
            [program, "+RTS", "-M1000m", "-RTS", "lua", script],
            input=json.dumps(formulas).encode(),
            capture_output=True,
            timeout=seconds,
            check=True,
        )
        answer = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        return None
    return answer if isinstance(answer, list) and len(answer) == len(formulas) else None
