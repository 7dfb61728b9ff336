r"""Formulas: found in Markdown as MathJax finds them, their macros expanded, translated for the typesetter.

find       Markdown -> Markdown with marks, formulas
macros     \newcommand and \def, from the cell that defines them to the end of the notebook
tidy       TeX that MathJax reads and pandoc does not, rewritten
translate  TeX -> typst by pandoc, checked against an allow-list
"""
