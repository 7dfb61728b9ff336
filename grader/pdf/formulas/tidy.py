"""Rewrites TeX that MathJax reads and pandoc does not."""

from __future__ import annotations

import re

SPACING = "Large|LARGE|large|huge|Huge|small|footnotesize|normalsize|scriptsize|tiny|nonumber|notag|bigstrut"
REPLACEMENTS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\\(?:label|require|color|cssId|class|href)\s*\{[^{}]*\}", ""),
        (r"\\textcolor\s*\{[^{}]*\}", ""),
        (rf"\\(?:{SPACING})(?![a-zA-Z])", ""),
        (r"\\tag\*?\s*\{([^{}]*)\}", r"\\qquad \\text{(\1)}"),
        (r"\\(?:eq)?ref\s*\{([^{}]*)\}", r"\\text{(\1)}"),
        (r"\\begin\{(?:flalign|alignat|multline|eqnarray)(\*?)\}(?:\{\d+\})?", r"\\begin{align\1}"),
        (r"\\end\{(?:flalign|alignat|multline|eqnarray)(\*?)\}", r"\\end{align\1}"),
        (r"\\(?:begin|end)\{(?:displaymath|math)\}", ""),
        (r"\\(left|right)\s*(?:\\\||\\[lr]?Vert(?![a-zA-Z]))", r"\\\1\\Vert "),
        (r"(?<!\\)\\\||\\[lr]Vert(?![a-zA-Z])", r"\\Vert "),
        (r"\\[lr]vert(?![a-zA-Z])", "|"),
        (r"\\(?:bf|bfseries)(?![a-zA-Z])\s*([^{}\\]+|\\[A-Za-z]+)", r"\\mathbf{\1}"),
        (r"\\rm(?![a-zA-Z])\s*([^{}\\]+)", r"\\mathrm{\1}"),
        (r"\\cal(?![a-zA-Z])\s*\{?([A-Za-z])\}?", r"\\mathcal{\1}"),
        (r"\\(?:it|sf|tt)(?![a-zA-Z])", ""),
        (r"\\[bB]igg?[lrm]?\s*\\Vert", r"\\Vert"),
        (r"\\(?:cfrac|nicefrac|sfrac)(?![a-zA-Z])", r"\\frac"),
        (r"\\(?:smash|vphantom|mathclap|mathllap|mathrlap|raise|rule\{[^{}]*\})(?![a-zA-Z])", ""),
        (r"\\[hv]space\*?\s*\{[^{}]*\}", r"\\quad "),
        (r"(?<=\\begin\{aligned\})\[[tbc]\]|(?<=\\begin\{array\})\[[tbc]\]", ""),
        (r"(?<!\\)\\!", ""),  # pandoc writes -1em and 0em for the small spaces
        (r"(?<!\\)\\[;:>]", "~"),
        (r"\\(?:mathbbm|mathds)(?![a-zA-Z])", r"\\mathbb"),
        (r"\\operatorname\*\{\s*arg(?:\\,|\s|\\;|~)*(max|min)\s*\}", r"\\arg\\\1"),
        (r"\\arg(min|max)(?![a-z])", r"\\arg\\\1"),
        (r"\\intercal(?![a-zA-Z])", r"\\top"),
        (r"\\norm(?![a-zA-Z])\s*\{([^{}]*)\}", r"\\left\\Vert \1\\right\\Vert "),
        (r"\\abs(?![a-zA-Z])\s*\{([^{}]*)\}", r"\\left|\1\\right|"),
        (r"\\bra?ket(?![a-zA-Z])\s*\{([^{}]*)\}", r"\\langle \1\\rangle "),
        (r"\\(?:thinspace)(?![a-zA-Z])", r"\\,"),
        (r"\n\s*\n", "\n"),
    )
)
NORM = re.compile(
    r"(?<!\\left)(?<!\\right)\\Vert\s((?:(?!\\Vert|\\left|\\right|\\\\|&).){1,300}?)(?<!\\right)\\Vert(?![a-zA-Z])",
    re.S,
)
MAX_DEPTH = 12


def tidy(tex: str) -> str:
    """Return a formula as TeX that pandoc reads, without comments."""
    tex = re.sub(r"(?<!\\)%[^\n]*", "", tex)
    for pattern, replacement in REPLACEMENTS:
        tex = pattern.sub(replacement, tex)
    # The bars of a norm become a left and a right one, because typst sets spaces around a bar without a side.
    parts, position = [], 0
    for norm in NORM.finditer(tex):
        if norm[1].count("{") == norm[1].count("}"):
            parts += [tex[position : norm.start()], rf"\left\Vert {norm[1].strip()}\right\Vert "]
            position = norm.end()
    tex = "".join([*parts, tex[position:]]).strip()
    if r"\\" in tex and r"\begin{" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return tex


def too_deep(tex: str) -> bool:
    """Say whether groups are nested so deeply that pandoc would take very long."""
    depth = deepest = 0
    for token in re.finditer(r"\\(?:left|right|begin|end)(?![A-Za-z])|\\.|[{}()\[\]]", tex, re.S):
        opens = token[0] in ("{", "(", "[", r"\left", r"\begin")
        closes = token[0] in ("}", ")", "]", r"\right", r"\end")
        depth += opens - closes
        deepest = max(deepest, depth)
    return deepest > MAX_DEPTH
