"""plan: from the rubric and the reference, every call that will be made of a submission's functions.

The plan is the same for every submission. A `Call` holds only what may enter the box; what only the trusted
side may know of it (expected values, steps, known quantities) stays in the cases of the checks.

    load         loads a course and its plan
    planner      asks each check for its cases, and draws inputs that tell known mistakes apart
    candidates   what a function could be: the reference, each known mistake, two together
    separation   which known mistakes the inputs tell apart
    trusted      calls functions of the reference
    plan         the result
    kept         stores plans on disk
"""
