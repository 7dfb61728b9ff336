"""report: turns scores into text, one file for each format. Pure: no submission is read or run here.

table      grades.csv and grades.json
pages      index.html, feedback.html, notebook.html: one self-contained file each
notebook   an executed notebook as safe HTML
statistics all submissions together
mistake    a diagnosis in words
chart      charts as inline SVG
terminal   one submission's result for a terminal
"""
