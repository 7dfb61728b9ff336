"""The PDF that a student hands in: the evaluated notebook, behind the other solutions.

    notebook.ipynb  --read, run-->  cells  --set_cells-->  Draft: blocks, formulas, pictures
                                                              |  data.json, formulas/, pictures/
      (a folder of its own, the only place that the       child process: typst sets page.typ
       typesetter can read)                                   |
    solutions.pdf   --check-------------------------------  merge  -->  hand_in.pdf

text       what may stand on a page             formulas   found, expanded, translated by pandoc
rows       lines of code, wrapped with a mark   pictures   decoded, measured, written anew
markup     Markdown and HTML as a tree          tables     the cells of an HTML table on a grid
cells      cells and their outputs as blocks    typeset    the child process and its limits

A notebook is foreign text. Nothing of it ever becomes typst code: text travels as JSON, formulas as what
pandoc's writer makes of them, checked against an allow-list; pictures are decoded here and no file or
address that a notebook names is opened.
"""
