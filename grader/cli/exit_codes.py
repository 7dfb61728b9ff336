"""What the exit codes mean, beside 0 for all is well."""

EXIT_NO, EXIT_USAGE, EXIT_FAULT, EXIT_INTERRUPTED = 1, 2, 3, 130
