"""Assignments to begin from: this folder has the form of a course (rubrics/, reference/, submissions/)."""
