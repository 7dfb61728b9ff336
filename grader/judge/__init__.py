"""judge: from the plan and an observation to verdicts. Pure: no I/O, no clock, no student code.

verdicts      one verdict a check, and what follows from the mistakes that have a name
information   whether results say anything at all
diagnosis     what mistake explains the results
patterns      mistakes that need no course to know them
"""
