"""The tables of what people read, decide and are; `database_tables.py` has those of observations and scores.

    questions  assignment, submission, question           -> what the judge says, and why it waits
    answers    assignment, submission, question           -> GivenAnswer
    hand_ins   assignment, submission                     -> key of the notebook's run
    decisions  assignment, submission, question, version  -> Decision; rows are only ever added
    palette    assignment, comment, version               -> a comment, its points; rows are only ever added
    settings   assignment, name, version                  -> a text; rows are only ever added
    pairs      assignment, pair                           -> two functions or answers that are alike
    accounts   person                                     -> role, hash of the password
    sessions   digest of a token                          -> person, until when
    audit      number                                     -> who did what when; rows are only ever added

A version that is given twice is refused by the key: so two people at once cannot overwrite each other.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, LargeBinary, String, Table, Text

from grader.store.database_tables import METADATA

QUESTIONS = Table(
    "questions",
    METADATA,
    Column("assignment", String, primary_key=True),
    Column("question", String, primary_key=True),
    Column("submission", String, primary_key=True),
    Column("number", Integer),
    Column("title", String),
    Column("points", Float),
    Column("max_points", Float),
    Column("waits", String),
    Column("status", String),
    Column("found", String),
    Column("who", String),
    Column("least", Float),
    Column("most", Float),
    Column("counts", Boolean),
    Column("late", Float),
)
ANSWERS = Table(
    "answers",
    METADATA,
    Column("assignment", String, primary_key=True),
    Column("question", String, primary_key=True),
    Column("submission", String, primary_key=True),
    Column("alike", String),
    Column("seen", String),
    Column("answer", LargeBinary),
)
HAND_INS = Table(
    "hand_ins",
    METADATA,
    Column("assignment", String, primary_key=True),
    Column("submission", String, primary_key=True),
    Column("run", String),
)
DECISIONS = Table(
    "decisions",
    METADATA,
    Column("assignment", String, primary_key=True),
    Column("question", String, primary_key=True),
    Column("submission", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("time", Float, nullable=False),
    Column("person", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("points", Float),
    Column("comment", Text, nullable=False),
    Column("comments", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("seen", String, nullable=False),
    Column("together", String, nullable=False),
    Column("undoes", Integer),
    Index("decisions_by_time", "assignment", "time"),
)
PALETTE = Table(
    "palette",
    METADATA,
    Column("assignment", String, primary_key=True),
    Column("comment", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("question", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("points", Float, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("time", Float, nullable=False),
    Column("person", String, nullable=False),
)
SETTINGS = Table(
    "settings",
    METADATA,
    Column("assignment", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("value", Text, nullable=False),
    Column("time", Float, nullable=False),
    Column("person", String, nullable=False),
)
PAIRS = Table(
    "pairs",
    METADATA,
    Column("assignment", String, primary_key=True),
    Column("pair", String, primary_key=True),
    Column("question", String, nullable=False),
    Column("title", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("first", String, nullable=False),
    Column("second", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("share", Float, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("left", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("person", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("added", Float, nullable=False),
)
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("token", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("role", String, nullable=False),
    Column("ends", Float, nullable=False),
)
AUDIT = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("time", Float, nullable=False),
    Column("person", String, nullable=False),
    Column("address", String, nullable=False),
    Column("event", String, nullable=False),
    Column("detail", Text, nullable=False),
)
