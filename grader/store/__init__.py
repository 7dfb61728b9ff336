"""The database: what was observed, kept by content, and the scores, kept by submission (SQLite)."""

from grader.store.database import KeptOutcomes, Store

__all__ = ["KeptOutcomes", "Store"]
