"""similar: which students' functions and written answers are alike, as a question to a person.

works (code and answers of a course, and of earlier years)
  --normal form-->  lines without names, comments and layout
  --what was handed out, what many have-->  what is left
  --pairs-->  how much of it two works share
"""
