"""Sets a draft as a PDF, in a child process with limits on time and memory and without network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

from grader.errors import GraderFault
from grader.pdf.draft import Draft
from grader.pdf.fonts import families_for, font_folders
from grader.pdf.text import foreign_characters
from grader.project import quoted

SECONDS = 180
GENERAL_FONTS = ("Noto Sans", "DejaVu Sans")
TYPST = ("page.typ", "formula.typ")
SHOWN = 20  # characters in a note
FOOTER = 60  # characters of a name at the foot of a page
# A proxy at which nothing answers: the child process cannot fetch anything.
NOWHERE = "http://127.0.0.1:9"


def typeset(draft: Draft, name: str, source: str, pages_before: int, pages_after: int) -> bytes:
    """Return the PDF of a draft; raise GraderFault if it cannot be set."""
    written = json.dumps([draft.blocks, name, source, draft.title], ensure_ascii=False)
    foreign = foreign_characters("".join([written, *(formula.written for formula in draft.formulas)]))
    families, missing = families_for(foreign) if foreign else ([], frozenset[str]())
    if missing:
        shown = " ".join(sorted(missing)[:SHOWN]) + (" ..." if len(missing) > SHOWN else "")
        draft.warn(
            f"no font here has {len(missing)} of the characters, which are shown by their numbers: {shown}; "
            f"install a font that has them, or: pip install {quoted('fonts')}"
        )
    draft.write(
        missing,
        name=name,
        source=source,
        footer=" · ".join(
            part if len(part) <= FOOTER else f"{part[: FOOTER - 1]}…" for part in (name, source) if part
        ),
        fonts=[*families, *GENERAL_FONTS],
        pages_before=pages_before,
        pages_after=pages_after,
    )
    for file in TYPST:
        (draft.folder / file).write_bytes((resources.files(__package__) / file).read_bytes())
    folders = [str(path) for path in font_folders()] if foreign else None
    command = [sys.executable, "-I", "-m", "grader.pdf.typesetter", str(draft.folder), json.dumps(folders)]
    environment = {**os.environ, "HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "https_proxy": NOWHERE}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=SECONDS, check=False, cwd=draft.folder, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise GraderFault(
            f"the PDF was not finished after {SECONDS} s; is the notebook very long?"
        ) from error
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace").strip()[-1500:]
        raise GraderFault(f"the pages could not be set; please report this with the notebook:\n{words}")

    answer = json.loads(done.stdout)
    for number in answer["unreadable"]:
        formula = draft.short(number)
        draft.warn(f"this formula is shown as text (it is too large to be read on a page): {formula}")
    for replaced in answer["replaced"]:
        if replaced.endswith(".typ"):
            formula = draft.short(int(Path(replaced).stem))
            draft.warn(f"this formula could not be set and is shown as text: {formula}")
        else:
            draft.warn("a damaged picture is left out")
    return (draft.folder / "out.pdf").read_bytes()
