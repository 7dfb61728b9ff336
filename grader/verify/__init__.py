"""verify: checks a rubric before it grades students: right solutions keep every point, wrong ones lose some.

    trial        runs variants of the reference in this process and judges them as submissions are judged
    mutants      makes mistakes in the syntax tree of the reference, by machine
    rewritten    makes other right versions of the reference, which must keep every point
    evidence     runs all of these in worker processes
    goldens      stores results of the reference, to notice when they change
    survivors    reads which mutants the course accepts as not caught
    claims       the claims about a rubric, and how each is checked
    verification lists the claims of a rubric, for the command and the plugin
    report       the claims in a terminal
    plugin       the claims as pytest items: `pytest rubrics/`

Everything that runs here is the course's own code, so there is no sandbox.
"""
