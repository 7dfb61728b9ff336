"""The child process that reads formulas with MathJax: `python -I -m grader.pdf.formulas.mathjax`.

    [[TeX, whether displayed], ...]  --stdin-->   MathJax in QuickJS   --stdout-->  [[SVG, error], ...]

MathJax is what Jupyter shows formulas with, so they mean here what they mean there. It runs in an interpreter
without files, network or clock, with limits on time and memory. One of SVG and error is "".
"""

from __future__ import annotations

import json
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SECONDS, MEMORY, STACK = 2.0, 512 << 20, 2 << 20  # for one formula; for all; of nested calls
# That of Jupyter, without what loads more of it, or makes links and HTML.
PACKAGES = (
    "base ams amscd bbox boldsymbol braket cancel cases centernot color colortbl enclose extpfeil gensymb "
    "mathtools mhchem newcommand textmacros unicode upgreek verb"
).split()
PARTS = "loader startup core adaptors/liteDOM input/tex-full output/svg output/svg/fonts/tex".split()
# Letters that MathJax has no shape for, and about how wide they are in em: Chinese, wide and other ones.
WIDTHS = (
    ("[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]", 1.0),
    ("[\u0391-\u03a9\u0400-\u042fжмшщюфы]", 0.78),
    ("", 0.54),
)
BEFORE = """
globalThis.window = globalThis.global = globalThis;
globalThis.console = {log() {}, warn() {}, error() {}, info() {}};
globalThis.MathJax = {
  loader: {load: [], require() { throw new Error("nothing can be loaded"); }},
  startup: {typeset: false, ready() {}, adaptor: "liteAdaptor", document: "<html></html>"},
  svg: {fontCache: "none"},
  tex: {packages: %s, formatError(jax, error) { throw new Error(error.message); }},
};
"""
AFTER = """
MathJax.loader.preLoad(...%s);
Object.assign(MathJax.config.startup, {input: ["tex"], output: "svg", handler: "HTMLHandler"});
MathJax.startup.getComponents();
MathJax.startup.makeMethods();
const WIDTHS = %s;
MathJax.startup.adaptor.nodeSize = function(node) {
  let width = 0;
  for (const letter of this.textContent(node)) {
    width += (WIDTHS.find(([letters]) => new RegExp(letters).test(letter)))[1];
  }
  return [width, this.options.unknownCharHeight];
};
function svg(tex, display) {
  return MathJax.startup.adaptor.innerHTML(MathJax.tex2svg(tex, {display: display}));
}
"""


def pictures(formulas: list[tuple[str, bool]]) -> list[tuple[str, str]]:
    """Return the SVG of each formula, or why there is none."""
    import quickjs  # noqa: PLC0415 -- of the extra `pdf`

    context: Any = None
    answers = []
    for tex, display in formulas:
        context = context or _context(quickjs)
        try:
            svg = context.eval(f"svg({json.dumps(tex)}, {json.dumps(display)})")
            answers.append((str(svg), ""))
        except quickjs.JSException as error:
            words = str(error).splitlines()[0].removeprefix("Error: ")
            answers.append(("", words[:200]))
            if "interrupted" in words or "memory" in words or "InternalError" in words:
                context = None  # what it left behind may be anything
    return answers


def letter_width(letter: str) -> float:
    """Return about how wide a letter is that MathJax has no shape for, in em; MathJax is told the same."""
    return next(width for letters, width in WIDTHS if re.match(letters, letter))


def _context(quickjs: Any) -> Any:
    """Return an interpreter that has read MathJax."""
    spec = find_spec("mathjax")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "static" / "mathjax" / "es5"
    context = quickjs.Context()
    context.set_memory_limit(MEMORY)
    context.set_max_stack_size(STACK)
    context.eval(BEFORE % json.dumps(PACKAGES))
    for part in PARTS:
        try:
            context.eval((folder / f"{part}.js").read_text(encoding="utf-8"))
        except quickjs.JSException:
            if part != "startup":  # its last statement sets what is read-only here
                raise
    context.eval(AFTER % (json.dumps(PARTS), json.dumps(WIDTHS)))
    context.set_time_limit(SECONDS)
    return context


if __name__ == "__main__":
    sys.stdout.write(json.dumps(pictures(json.load(sys.stdin))))
