"""The tables of the database, as this version of grader uses them; `migrations/` upgrades older ones.

A table, the columns of its key, and what it holds:

    runs      key of the notebook's bytes and limits                  -> NotebookRun
    outcomes  key of a function's code and limits, call               -> Outcome
    readings  key of the notebook's bytes and our code that reads it  -> Reading
    scores    assignment, submission                                  -> Score, course, source, worker

`course` is a digest of the course that judged a submission, `source` the path of what was handed in,
`worker` the machine of a cluster that graded it.
"""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, MetaData, String, Table

METADATA = MetaData()
RUNS = Table("runs", METADATA, Column("key", String, primary_key=True), Column("run", LargeBinary))
OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("key", String, primary_key=True),
    Column("call", String, primary_key=True),
    Column("outcome", LargeBinary),
)
READINGS = Table(
    "readings", METADATA, Column("key", String, primary_key=True), Column("reading", LargeBinary)
)
SCORES = Table(
    "scores",
    METADATA,
    Column("assignment", String, primary_key=True),
    Column("submission", String, primary_key=True),
    Column("score", LargeBinary),
    Column("course", String),
    Column("source", String),
    Column("worker", String),
)
