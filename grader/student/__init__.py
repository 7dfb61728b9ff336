"""student: what a course hands out, and what a student runs at home.

release      reference + rubric  ->  kit             on the course's machine
kit          the public checks in a file             nothing in it needs the reference
home         notebook or kernel + kit  ->  findings  no sandbox: it is the student's own code
hand_in      what the graders' run would trip over
text, page   findings for a terminal, and as HTML in a notebook

Imports nothing of `reference/`, and nothing that only one operating system has.
"""
