"""student: the kit that a course hands out, and the checks that a student makes at home.

make_kit             reference + rubric  ->  kit              on the course's machine
kit                  the public checks in one file            needs no reference
functions            the notebook's functions, or those of a kernel
checker              which function is checked when, and what follows from another one
worker, home         a process that makes the checks of a function, and one check
isolation, words     ends what does not end; says what a function did
live                 the same in a running notebook
hand_in, fresh_run   what would go wrong in the graders' run
report_lines, page   findings as text, and as HTML in a notebook

Nothing here imports from `reference/`, and only `make_kit` needs more than a student's machine has.
"""
