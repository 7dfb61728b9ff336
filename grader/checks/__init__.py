"""checks: one module a type of check, and what they share.

base        Check, PlannedCase, and what they may ask of the course
registry    finds the types that are installed, ours and those of other packages
result      what a case earned, and how cases become a verdict
outcomes    why a call gave no value

reference, gradient, metric, property, raises, forbidden    the types that grader brings
"""
