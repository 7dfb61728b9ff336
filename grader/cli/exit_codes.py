"""The exit codes of the commands; 0 is success. `main` says what each one means."""

EXIT_NO, EXIT_USAGE, EXIT_FAULT, EXIT_INTERRUPTED = 1, 2, 3, 130
