"""handler: our code on what a student made, in a process that holds nothing a student may not know."""
