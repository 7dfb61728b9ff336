"""Checks a derivation in LaTeX line by line: each equality is tested on random numbers.

    Markdown --formulas, latex--> tokens --steps, parse--> chains of trees --equality--> numbers
                                                                           --judge--> verdicts

`meaning` says what the symbols of a task are. What is outside the grammar is reported with its place and is
not checked; nothing is guessed.
"""
