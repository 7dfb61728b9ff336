"""What people decide: points, comments, overrides, their history; for the commands and the web application.

    worklist.py     what waits for a person, and how far everybody is
    decisions.py    the history of decisions: add to it, undo
    palette.py      comments that are used again, with points that may change afterwards
    sharing.py      which questions are whose, and which are graded without names
    alike.py        answers that are equal or similar
    points_file.py  the decisions as a table (CSV, XLSX), and back
    accounts.py     people, their roles and sessions, and the audit log

Nothing here is ever overwritten: each change is a new row with the next version, and a version that somebody
else has taken meanwhile is refused (`ConflictError`).
"""
