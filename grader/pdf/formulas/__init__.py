r"""Formulas: found in Markdown as MathJax finds them, their macros expanded, translated for the typesetter.

find       Markdown -> Markdown with marks, formulas
macros     \newcommand and \def, from the cell that has them to the end of the notebook
tidy       what MathJax reads and pandoc does not, said in other words
translate  TeX -> typst by pandoc, and the allow-list that the result has to pass
"""
