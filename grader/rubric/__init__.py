"""The rubric: the YAML model (`model`), loading it with positions (`load`), and scoring (`score`)."""
