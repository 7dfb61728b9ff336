"""The hierarchy of OUR faults.

A student's fault is data (an `Outcome`, a `Verdict`, a status); it never travels as one of these.

    GraderError                     anything that we, the course or the machine did wrong       exit
    |-- UsageError                  what the command line names is not there, or cannot be used so   2
    |-- ConflictError               somebody else has decided meanwhile                              2
    |-- CourseError                 the files of a course are wrong
    |   |-- RubricError             a rubric, or what it refers to                                   2
    |   `-- AssignmentError         reference/<assignment>/: a file, a function, an input            2
    |-- KitError                    a kit is missing, damaged, or of another version                 2
    |-- DocumentError               a document cannot be read, or made                               2
    |-- MachineError                this machine lacks something
    |   |-- MissingPackageError     a package that a command needs                                   2
    |   |-- InterpreterError        the interpreter that a course pins                               2
    |   |-- TierError               the walls that a rubric asks for                                 2
    |   `-- PluginError             an entry point for grader is not what it says                    2
    |-- ClusterError                machines cannot be reached, or are not alike                     3
    |-- StorageError                what was found out cannot be kept
    |   |-- ResultsError            the folder of results cannot be written to                       3
    |   `-- StoreError              the database cannot be used                                      3
    |-- JudgeError                  a submission could not be judged                                 3
    `-- GraderFault                 a submission could not be observed through our fault             3
        |-- SandboxError            a process could not be started, or ended of itself
        `-- DamagedError            what was kept of an observation cannot be read

The command line turns an error into its message and the exit code of its class, in one place (`cli/main.py`).
`NotebookUnreadable` stands apart: it is the student's, raised by the reader and turned into the status
`unreadable` by the batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from grader.decision import Decision


class GraderError(Exception):
    """The base of every fault that is not a student's."""

    exit_code: ClassVar[int] = 2

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows of it: the message without the lines of our code."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(GraderError):
    """The command line names something that does not exist or cannot be used."""


class ConflictError(GraderError):
    """Somebody else has decided about the same meanwhile; `standing` is what stands now, if that is known."""

    def __init__(self, words: str, standing: Decision | None = None) -> None:
        super().__init__(words)
        self.standing = standing


class CourseError(GraderError):
    """A course's own files are wrong."""


class RubricError(CourseError):
    """A rubric does not say something that can be graded; the message gives file, line, key and value."""


class AssignmentError(CourseError):
    """The folder of an assignment lacks a file or a function, or one of them is wrong."""


class KitError(GraderError):
    """The file of public checks is missing, damaged, or of another version of grader."""


class DocumentError(GraderError):
    """A document that a student hands in cannot be read, or cannot be made."""


class MachineError(GraderError):
    """The machine lacks something that grader needs."""


class MissingPackageError(MachineError):
    """A package is not installed; the message says how to install it."""


class InterpreterError(MachineError):
    """The interpreter that a course pins cannot run its notebooks."""


class TierError(MachineError):
    """The machine cannot build the walls that a rubric asks for."""


class PluginError(MachineError):
    """An entry point in a group of grader is not what it says; the message names it."""


class ClusterError(GraderError):
    """The scheduler of a cluster cannot be reached, or a machine may not grade for it."""

    exit_code = 3


class StorageError(GraderError):
    """What was found out cannot be kept: a full disk, a folder that is read-only, a damaged database."""

    exit_code = 3


class ResultsError(StorageError):
    """The folder of results cannot be written to."""


class StoreError(StorageError):
    """The database in the results cannot be used."""


class JudgeError(GraderError):
    """A submission could not be judged: the process that judges ended of it; it is `not_graded`."""

    exit_code = 3


class GraderFault(GraderError):  # noqa: N818 -- the word of the closed set of outcomes
    """A submission could not be observed through our fault; it is `not_graded` and can be run again."""

    exit_code = 3


class SandboxError(GraderFault):
    """A process of the sandbox could not be started, or ended without having run anything."""


class DamagedError(GraderFault):
    """What was kept of an observation cannot be read; dropped from the store, it is observed again."""


class NotebookUnreadable(Exception):  # noqa: N818 -- a student's fault, not an error of ours
    """No notebook can be made of the file that was handed in; the message says why, for the student.

    `advised` if it also says what to do.
    """

    def __init__(self, message: str, *, advised: bool = False) -> None:
        super().__init__(message)
        self.advised = advised
