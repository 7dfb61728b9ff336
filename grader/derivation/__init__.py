"""Checks a derivation in LaTeX line by line: each equality is tested on random numbers.

    Markdown --latex--> tokens --steps--> chains of equalities --parse--> trees --evaluate--> numbers --judge--> verdicts

`meaning` says what the symbols of a task are. What is outside the grammar is reported with its place and is
not checked; nothing is guessed.
"""
