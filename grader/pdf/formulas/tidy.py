"""Rewrites TeX that Jupyter reads with parts of MathJax that are left out here, or that only LaTeX reads."""

from __future__ import annotations

import re

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
        (r"\\(?:eq)?ref\s*\{([^{}]*)\}", r"\\text{(\1)}"),
        (r"\\begin\{displaymath\}|\\end\{displaymath\}|\\begin\{math\}|\\end\{math\}", ""),
        (r"\\(?:mathbbm|mathds)(?![a-zA-Z])", r"\\mathbb"),
        (r"\\bm(?![a-zA-Z])", r"\\boldsymbol"),
        (r"\\(?:nicefrac|sfrac)(?![a-zA-Z])", r"\\frac"),
        (r"\\arg(min|max)(?![a-z])", r"\\operatorname*{arg\\,\1}"),
        (rf"\\norm(?![a-zA-Z])\s*{GROUP}", r"\\left\\Vert \1\\right\\Vert "),
        (rf"\\abs(?![a-zA-Z])\s*{GROUP}", r"\\left|\1\\right|"),
        (r"\n\s*\n", "\n"),
    )
)


def tidy(tex: str) -> str:
    """Return a formula as TeX that the MathJax of this package reads."""
    for pattern, replacement in REPLACEMENTS:
        tex = pattern.sub(replacement, tex)
    tex = tex.strip()
    if r"\\" in tex and r"\begin{" not in tex and "{" not in tex.partition(r"\\")[0]:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"  # MathJax alone sets no lines outside of a table
    return tex
