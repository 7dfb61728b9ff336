"""The PDF that a student hands in: the evaluated notebook, behind the other solutions.

    notebook.ipynb  --read, run-->  cells  --set_notebook-->  Draft: blocks, formulas, pictures
                                                                |
                                      data.json, formulas/ and pictures/ in a temporary folder
                                                                |
                                                  child process: typst sets page.typ
                                                                |
    other solutions (PDF)  --check--------------------------  merge  -->  hand_in.pdf

document        all steps, in order                 rows        lines of code and output, wrapped
notebook_cells  cells and their outputs as blocks   text        characters, columns and fonts
content         Markdown and HTML as nodes          pictures    decoded, measured, written
markup          Markdown and HTML as a tree         formulas    found, expanded, translated by pandoc
tables          an HTML table on a grid             draft       all that the typesetter reads
code            code with syntax colours            typeset     starts the child process
escape_codes    output as a terminal shows it       typesetter  the child process and its limits
run             runs the notebook first             merge       joins the PDFs

A notebook comes from anywhere, so nothing in it becomes typst code. Text is passed on as JSON, a formula as
what pandoc writes for it, checked against an allow-list. Pictures are decoded here. No address in a notebook
is opened, and no file outside of the folder that the student allowed. The child process can read the
temporary folder and nothing else.
"""
