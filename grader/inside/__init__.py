"""What runs inside the box, beside a student's code. Nothing here imports the rest of grader.

A process in the box starts with `python -I -c` and the folder above on its path (`sandbox.py`); it knows
this package as `inside`, the trusted side knows it as `grader.inside`.
"""
