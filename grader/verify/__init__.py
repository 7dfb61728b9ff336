"""verify: proves a rubric before a student does: what must earn points does, what must not does not.

    trial        variants of the reference, called in this process and judged as a submission is
    mutants      mistakes made by a machine in the syntax tree of the reference
    rewritings   other ways to write the reference, which must keep every point
    evidence     runs all of these in worker processes and keeps what came out
    goldens      outputs of the reference that must not drift
    claims       what is claimed of a rubric, one by one, and whether the evidence bears it out
    report       the claims in a terminal, and as JSON
    plugin       the claims as pytest items: `pytest rubrics/`

Everything that runs here is the course's own code.
"""
