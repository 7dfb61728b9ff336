"""`python -m grader`."""

import sys

try:
    from grader.cli.main import main
except KeyboardInterrupt:  # before anything has begun
    sys.exit(130)

if __name__ == "__main__":
    main()
