"""The PDF that a student hands in: the evaluated notebook, behind the other solutions.

    notebook.ipynb  --read, run-->  cells  --set_notebook-->  Draft: blocks, formulas, pictures
                                                                |
                                      data.json, formulas/ and pictures/ in a temporary folder
                                                                |
                                                  child process: typst sets page.typ
                                                                |
    other solutions (PDF)  --check--------------------------  merge  -->  hand_in.pdf

document        all steps, in order                 rows        lines of code and output, wrapped
notebook_cells  cells as blocks                     text        characters, columns and fonts
outputs         outputs as blocks: which form       pictures    decoded, measured, written
content         Markdown and HTML as nodes          formulas    found, expanded, set by MathJax
markup          Markdown and HTML as a tree         draft       all that the typesetter reads
tables          an HTML table on a grid             typeset     starts the child process
code            code with syntax colours            typesetter  the child process and its limits
escape_codes    output as a terminal shows it       merge       joins the PDFs
run             runs the notebook first

A notebook comes from anywhere, so nothing in it becomes typst code. Text is passed on as JSON, a formula as
the vector picture that MathJax makes of it. Pictures are decoded here. No address in a notebook
is opened, and no file outside of the folder that the student allowed. The child process can read the
temporary folder and nothing else.
"""
