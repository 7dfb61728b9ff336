"""The steps from the database of each version to that of the next, in `versions/`; run by `migrate.py`."""
