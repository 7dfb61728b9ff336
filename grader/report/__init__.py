"""report: scores become text: one file a format. Pure; text in, text out, nothing is read or run.

table      grades.csv and grades.json
pages      index.html, feedback.html, notebook.html: one self-contained file each
mistake    what a diagnosis says in words
chart      small pictures as inline SVG
terminal   one submission's result for a terminal
"""
