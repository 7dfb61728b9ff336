"""Translates formulas from TeX to typst with pandoc, and accepts a translation only if it is mathematics.

The translation is "" for a formula that pandoc cannot read, that takes too long, or whose typst is not only
mathematics. Such a formula is shown as its TeX.
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
# The label that pandoc puts behind a formula.
LABEL = re.compile(r"\$\s*<[^<>$]*>$")
# A scaled symbol, such as `#scale(...)[angle.l]`: its name would be set as words.
NAMED_AS_TEXT = re.compile(r"#scale\([^()]*\)\[([a-z]+(?:\.[a-z]+)*)\]")
FORBIDDEN = ("//", "/*", "`", "std", '"')


def translate(formulas: Sequence[Formula]) -> list[str]:
    """Return the typst of each formula, "" for one that cannot be set."""
    wanted = sorted({formula for formula in formulas if formula[0] and not too_deep(formula[0])})
    written = _pandoc(wanted, SECONDS) if wanted else []
    if written is None:
        # One formula made pandoc fail or run too long: without it, the others can be translated.
        written = []
        end = time.monotonic() + SECONDS_ALL_ALONE
        for formula in wanted:
            alone = _pandoc([formula], SECONDS_ALONE) if time.monotonic() < end else None
            written.append(alone[0] if alone else "")

    translated = {}
    for formula, text in zip(wanted, written, strict=True):
        typst = " ".join(text.split("\n")).strip()
        typst = LABEL.sub("$", typst)
        typst = NAMED_AS_TEXT.sub(r"\1", typst)
        translated[formula] = typst if is_mathematics(typst) else ""
    return [translated.get(formula, "") for formula in formulas]


def is_mathematics(typst: str) -> bool:
    """Say whether a text is typst mathematics and nothing else.

    Outside of strings and escapes it has no code (`#`) except a few forms that pandoc writes, no comment, no
    raw text, and no `std`, with which mathematics could call `read`.
    """
    if len(typst) < 3 or typst[0] != "$" or typst[-1] != "$":
        return False
    for token in TOKEN.finditer(typst):
        if token[0] in FORBIDDEN or (token[0] == "#" and not ALLOWED_CODE.match(typst, token.start())):
            return False
    return True


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
