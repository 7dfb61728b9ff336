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
from grader.pdf.text import needs_other_fonts

SECONDS = 180
GENERAL_FONTS = ("Noto Sans", "DejaVu Sans")
OTHER_FONTS = tuple(
    "Noto Sans CJK SC,Noto Sans SC,PingFang SC,Hiragino Sans,Microsoft YaHei,SimSun,WenQuanYi Zen Hei,"
    "Segoe UI Symbol,Segoe UI Emoji,Apple Color Emoji,Noto Color Emoji,Noto Emoji,Symbola".split(",")
)
# A proxy at which nothing answers: the child process cannot fetch anything.
NOWHERE = "http://127.0.0.1:9"


def typeset(draft: Draft, name: str, source: str, pages_before: int, pages_after: int) -> bytes:
    """Return the PDF of a draft; raise GraderFault if it cannot be set."""
    draft.write(
        name=name,
        source=source,
        footer=" · ".join(part for part in (name, source) if part),
        fonts=[*GENERAL_FONTS, *OTHER_FONTS],
        pages_before=pages_before,
        pages_after=pages_after,
    )
    page = resources.files(__package__) / "page.typ"
    (draft.folder / "page.typ").write_bytes(page.read_bytes())
    other = needs_other_fonts((draft.folder / "data.json").read_text(encoding="utf-8"))
    if other and not other_fonts_found():
        draft.warn("no font for some characters was found here (Chinese, emoji, ...); install the Noto fonts")

    fonts = "other" if other else "own"
    command = [sys.executable, "-I", "-m", "grader.pdf.typesetter", str(draft.folder), fonts]
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

    for replaced in json.loads(done.stdout):
        if replaced.endswith(".typ"):
            formula = draft.short(int(Path(replaced).stem))
            draft.warn(f"this formula could not be set and is shown as text: {formula}")
        else:
            draft.warn("a damaged picture is left out")
    return (draft.folder / "out.pdf").read_bytes()


def other_fonts_found() -> bool:
    """Say whether this machine has a font for characters that the typesetter's own fonts lack."""
    import typst  # noqa: PLC0415

    return not set(OTHER_FONTS).isdisjoint(typst.Fonts(include_system_fonts=True).families())
