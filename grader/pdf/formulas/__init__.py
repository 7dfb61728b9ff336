r"""Formulas: found in Markdown as Jupyter finds them, and set by MathJax, which Jupyter sets them with.

find       Markdown -> Markdown with marks, formulas
macros     \newcommand and \def, from the cell that defines them to the end of the notebook
tidy       TeX that our MathJax does not read, rewritten
translate  TeX -> pictures, by the process of `mathjax`
"""
