"""The child process that sets the page: `python -I -m grader.pdf.typesetter FOLDER FONTS`.

It reads nothing outside of FOLDER and writes FOLDER/out.pdf. A formula or picture that cannot be set is
replaced; the names of these files are printed as JSON, with the numbers of the formulas that are shown as
text for their size. Any other error goes to stderr, with exit code 1.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import typst

from grader.pdf.draft import as_source

MEMORY = 4 << 30
REPLACEABLE = re.compile(r"(formulas/[0-9]+\.typ|pictures/[0-9]+\.[a-z]+)")
BLANK_PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">
<path d="M0 0L40 20M40 0L0 20" stroke="#a0111f"/></svg>"""
MAX_REPLACED = 400


@dataclass(frozen=True)
class Answer:
    """The files that could not be set and were replaced, and the formulas that are too large to be read."""

    replaced: list[str]
    unreadable: list[int]


def set_pages(folder: Path, fonts: list[str] | None) -> Answer:
    """Set page.typ; return what is not on the pages as it should be.

    `fonts` are folders of fonts to use beside those of the machine; None for the typesetter's own alone.
    """
    replaced: list[str] = []
    compiler = typst.Compiler(
        folder / "page.typ",
        root=folder,
        font_paths=[Path(each) for each in fonts or ()],
        ignore_system_fonts=fonts is None,
        package_path=folder / "no_packages",
        package_cache_path=folder / "no_packages",
    )
    while len(replaced) < MAX_REPLACED:
        try:
            compiler.compile(output=folder / "out.pdf", format="pdf", timestamp=0)
        except typst.TypstError as error:
            named = REPLACEABLE.search(error.diagnostic) or REPLACEABLE.search(error.message)
            if named is None or named[1] in replaced:
                raise
            path = folder / named[1]
            if path.suffix == ".typ":
                sources = json.loads((folder / "sources.json").read_text(encoding="utf-8"))
                path.write_text("#" + as_source(sources[int(path.stem)]), encoding="utf-8")
            else:
                path.write_text(BLANK_PICTURE, encoding="utf-8")
            replaced.append(named[1])
        else:
            unreadable = json.loads(compiler.query("<unreadable>", field="value"))
            return Answer(replaced, sorted(set(unreadable)))
    raise RuntimeError(f"more than {MAX_REPLACED} formulas and pictures cannot be set")


def _limit_memory() -> None:
    """Let this process have at most MEMORY bytes, so that no notebook takes all that the machine has."""
    try:
        import resource  # noqa: PLC0415 -- not on Windows
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY or most > MEMORY:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, most))


if __name__ == "__main__":
    _limit_memory()
    print(json.dumps(asdict(set_pages(Path(sys.argv[1]), json.loads(sys.argv[2])))))
