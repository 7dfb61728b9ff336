"""The child process that sets the page: `python -I -m grader.pdf.typesetter FOLDER FONTS`.

It reads nothing outside of FOLDER, leaves FOLDER/out.pdf, and prints as JSON which files it could not set
and replaced; what else goes wrong it says on stderr, with exit code 1.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import typst

from grader.pdf.draft import as_source

MEMORY = 4 << 30
AT_FAULT = re.compile(r"(formulas/[0-9]+\.typ|pictures/[0-9]+\.[a-z]+)")
BLANK_PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">
<path d="M0 0L40 20M40 0L0 20" stroke="#a0111f"/></svg>"""
MAX_FAULTS = 400


def set_pages(folder: Path, *, other_fonts: bool) -> list[str]:
    """Set page.typ; return the formulas and pictures that were replaced because they cannot be set."""
    replaced: list[str] = []
    compiler = typst.Compiler(
        folder / "page.typ",
        root=folder,
        ignore_system_fonts=not other_fonts,
        package_path=folder / "no_packages",
        package_cache_path=folder / "no_packages",
    )
    while len(replaced) < MAX_FAULTS:
        try:
            compiler.compile(output=folder / "out.pdf", format="pdf", timestamp=0)
        except typst.TypstError as error:
            name = _at_fault(error, replaced)
            _replace(folder, name)
            replaced.append(name)
        else:
            return replaced
    raise RuntimeError(f"more than {MAX_FAULTS} formulas and pictures cannot be set")


def _at_fault(error: typst.TypstError, replaced: list[str]) -> str:
    """Return the file that an error names; raise the error again if it is not one that can be replaced."""
    found = AT_FAULT.search(error.diagnostic) or AT_FAULT.search(error.message)
    if found is None or found[1] in replaced:
        raise error
    return found[1]


def _replace(folder: Path, name: str) -> None:
    path = folder / name
    if name.endswith(".typ"):
        sources = json.loads((folder / "sources.json").read_text(encoding="utf-8"))
        path.write_text(as_source(sources[int(path.stem)]), encoding="utf-8")
    else:
        path.write_text(BLANK_PICTURE, encoding="utf-8")


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415 -- not on Windows
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY or most > MEMORY:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, most))


if __name__ == "__main__":
    _limit_memory()
    print(json.dumps(set_pages(Path(sys.argv[1]), other_fonts=sys.argv[2] == "other")))
