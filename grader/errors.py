"""The exceptions for errors that are not a student's: of grader, the course, its user or the machine.

What a student's code does wrong is a result (an `Outcome`, a `Verdict`, a status), never one of these.

    GraderError                     the base class
    |-- UsageError                  the command line names something that is not there        exit 2
    |-- PluginError                 an entry point does not provide what its group asks for   exit 2
    |-- RubricError                 a rubric, or what it refers to, is wrong                  exit 2
    |-- AssignmentError             reference/<assignment>/ is incomplete or wrong            exit 2
    `-- GraderFault                 a submission could not be observed, not by its fault      exit 3
        |-- SandboxError            a process could not be started, or ended before it ran anything
        `-- DamagedError            a stored observation cannot be read

`NotebookUnreadable` is no GraderError, because it is the student's: the batch turns it into the status
`unreadable`.
"""


class GraderError(Exception):
    """The base class of the errors that are not a student's."""


class UsageError(GraderError):
    """The command line names something that does not exist or cannot be used."""


class PluginError(GraderError):
    """An entry point does not provide what its group asks for; the message names it."""


class RubricError(GraderError):
    """A rubric cannot be used for grading; the message gives file, line, key and value."""


class AssignmentError(GraderError):
    """A file or a function in the folder of an assignment is missing or wrong."""


class GraderFault(GraderError):  # noqa: N818 -- the word of the closed set of outcomes
    """A submission could not be observed, not by its own fault; it is `not_graded` and can be run again."""


class SandboxError(GraderFault):
    """A process of the sandbox could not be started, or ended before it ran anything."""


class DamagedError(GraderFault):
    """A stored observation cannot be read; it is dropped, and the submission observed again."""


class NotebookUnreadable(Exception):  # noqa: N818 -- a student's fault, not an error of ours
    """The file that a student handed in cannot be read as a notebook; the message tells the student why."""
