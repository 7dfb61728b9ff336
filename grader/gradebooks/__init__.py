"""gradebooks: one row for each student, in the formats that spreadsheets and learning platforms take.

    scores  --the hand-in that counts-->  rows  --a format-->  the bytes of a file

`book` makes the rows; every other module is a format or two; `formats` lists them.
"""
