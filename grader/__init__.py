"""grader: grades notebooks of numerical machine learning.

    plan  ->  observe  ->  judge  ->  score  ->  report
            (untrusted)   (trusted, pure)

grader.flow     the stages for one submission       grader.batch    many submissions
grader.records  what crosses from stage to stage    grader.errors   the hierarchy of our faults
"""

__version__ = "0.1.0"
