"""The rubric of the corpus is a course's file among the tests: `grader verify` proves it, not pytest."""

collect_ignore = ["softmax/rubrics"]
