"""The database (SQLite or PostgreSQL): what was observed, by content, and the scores, by submission."""

from grader.store.database import KeptOutcomes, KeptScore, Store

__all__ = ["KeptOutcomes", "KeptScore", "Store"]
