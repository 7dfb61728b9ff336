"""The database (SQLite or PostgreSQL): what was observed, by content, and the scores, by submission."""

from grader.store.database import KeptScore, Store
from grader.store.observations import (
    CarriedObservations,
    KeptOutcomes,
    Observations,
    ReadObservations,
    Row,
)

__all__ = [
    "CarriedObservations",
    "KeptOutcomes",
    "KeptScore",
    "Observations",
    "ReadObservations",
    "Row",
    "Store",
]
