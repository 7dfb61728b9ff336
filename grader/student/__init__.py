"""student: the kit that a course hands out, and the checks that a student makes at home.

make_kit             reference + rubric  ->  kit              on the course's machine
kit                  the public checks in one file            needs no reference
functions, home      notebook or kernel + kit  ->  findings   no sandbox: it is the student's own code
live                 the same in a running notebook
hand_in, fresh_run   what would go wrong in the graders' run
report_lines, page   findings as text, and as HTML in a notebook
child                `grader check` in a process of its own

Nothing here imports from `reference/`, and only `make_kit` needs more than a student's machine has.
"""
