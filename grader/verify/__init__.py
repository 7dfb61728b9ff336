"""verify: proves a rubric before a student does: what must earn points does, what must not does not."""
