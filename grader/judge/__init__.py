"""judge: from the plan and an observation to verdicts. Pure: no I/O, no clock, no student code.

compare, near_miss, finite_difference   the numerics
properties                              what must hold whatever the values are
outcomes                                why a call gave no value
checks                                  one verdict a check
match, patterns, diagnosis              what mistake explains the results
"""

from grader.judge.checks import judge_check, judge_given
from grader.judge.diagnosis import diagnose, needs_diagnosis

__all__ = ["diagnose", "judge_check", "judge_given", "needs_diagnosis"]
