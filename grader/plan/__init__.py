"""plan: from the rubric and the reference, every call that a submission will be asked.

The plan is the same for every submission. A `Call` holds only what may enter the box; what the trusted side
knows of it (expected values, steps, known quantities) stays in the cases of the checks.

    planner      asks each check for its cases, and draws inputs that tell known mistakes apart
    candidates   what a function could be: the reference, each known mistake, two together
    separation   which known mistakes the inputs tell apart
    trusted      calls functions of the reference
    plan         what comes out
"""
