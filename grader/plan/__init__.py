"""plan: from the rubric and the reference, every call that a submission will be asked.

The plan is the same for every submission. A `Call` holds only what may enter the box; what the trusted
side knows of it (expected values, steps, known quantities) stays in the `context` of its check.

    reference  cases: (call, expected value, alternative for follow-through)
    gradient   cases: (call, numeric gradient and its error, the own cost's sweep over x +- h v)
    metric     cases: (call, case, none, full)
    property   cases: (call, second call or None, how the two results relate)
    raises     cases: (call,)
"""

from grader.plan.plan import make_plan

__all__ = ["make_plan"]
