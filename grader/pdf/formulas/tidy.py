"""Rewrites TeX that Jupyter reads with parts of MathJax that are left out here, or that only LaTeX reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

GROUP = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"  # with groups of two more levels in it
REPLACEMENTS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\\(?:label|require)\s*\{[^{}]*\}", ""),
        (r"\\([hv]space)\*", r"\\\1"),
        (r"\\(?:nonumber|notag)(?![a-zA-Z])", ""),
        (rf"\\(?:cssId|class|href|style)\s*\{{[^{{}}]*\}}\s*{GROUP}", r"{\1}"),
        (r"\\tag\*\s*\{([^{}]*)\}", r"\\qquad \\text{\1}"),
        (r"\\tag\s*\{([^{}]*)\}", r"\\qquad \\text{(\1)}"),
        (r"\\(?:begin|end)\{(?:displaymath|math)\}", ""),
        (r"\\(?:mathbbm|mathds)(?![a-zA-Z])", r"\\mathbb"),
        (r"\\bm(?![a-zA-Z])", r"\\boldsymbol"),
        (r"\\(?:nicefrac|sfrac)(?![a-zA-Z])", r"\\frac"),
        (r"\\arg(min|max)(?![a-z])", r"\\operatorname*{arg\\,\1}"),
        (rf"\\norm(?![a-zA-Z])\s*{GROUP}", r"\\left\\Vert \1\\right\\Vert "),
        (rf"\\abs(?![a-zA-Z])\s*{GROUP}", r"\\left|\1\\right|"),
        (r"\n\s*\n", "\n"),
    )
)
TAG = re.compile(r"\\tag\*?\s*\{([^{}]*)\}")
LABEL = re.compile(r"\\label\s*\{([^{}]*)\}")
REFERENCE = re.compile(r"\\(?P<with_brackets>eq)?ref\s*\{(?P<label>[^{}]*)\}")
# Environments of one line, in which a line may end all the same, and what is looked at to find such an end.
# No line ends at \\|, which is a norm with a backslash too many: Jupyter shows |x|.
ONE_LINE = re.compile(r"\\(?:begin|end)\{equation\*?\}")
TOKEN = re.compile(
    r"(?P<end>\\\\(?!\|))|(?P<open>\{|\\(?:begin|left)(?![A-Za-z]))|(?P<close>\}|\\(?:end|right)(?![A-Za-z]))"
    r"|(?P<column>&)|\\.",
    re.S,
)


def labels_in(tex: str) -> dict[str, str]:
    """Return the tags of the lines of a formula by their labels."""
    lines = [(LABEL.search(line), TAG.search(line)) for line in tex.split(r"\\")]
    return {label[1].strip(): tag[1] for label, tag in lines if label and tag}


def refer(tex: str, labels: Mapping[str, str]) -> str:
    """Return a formula with the tags that it refers to; what has no tag is called by its label."""

    def tag(reference: re.Match[str]) -> str:
        label = reference["label"].strip()
        words = labels.get(label, label)
        return rf"\text{{({words})}}" if reference["with_brackets"] else rf"\text{{{words}}}"

    return REFERENCE.sub(tag, tex)


def tidy(tex: str) -> str:
    """Return a formula as TeX that the MathJax of this package reads."""
    for pattern, replacement in REPLACEMENTS:
        tex = pattern.sub(replacement, tex)
    tex = tex.strip()

    # MathJax alone sets no lines outside of a table.
    lines = ONE_LINE.sub("", tex).strip()
    depth, found = 0, set[str]()
    for token in TOKEN.finditer(lines):
        kind = token.lastgroup or ""
        depth += {"open": 1, "close": -1}.get(kind, 0)
        found |= {kind} if depth == 0 else set()
    if "end" in found:
        environment = "aligned" if "column" in found else "gathered"
        return rf"\begin{{{environment}}}{lines}\end{{{environment}}}"
    return tex
