"""The hierarchy of OUR faults.

A student's fault is data (an `Outcome`, a `Verdict`, a status); it never travels as one of these.

    GraderError                     anything that we, the course or the machine did wrong
    |-- UsageError                  the command line names something that is not there        exit 2
    |-- PluginError                 an entry point for grader is not what it says              exit 2
    |-- RubricError                 a rubric, or what it refers to, is wrong                  exit 2
    |-- AssignmentError             reference/<assignment>/ is incomplete or wrong            exit 2
    `-- GraderFault                 a submission could not be observed through our fault      exit 3
        |-- SandboxError            a process could not be started, or died of itself
        `-- DamagedError            what was kept of an observation cannot be read

`NotebookUnreadable` stands apart: it is the student's, raised by the reader and turned into the status
`unreadable` by the flow.
"""


class GraderError(Exception):
    """The base of every fault that is not a student's."""


class UsageError(GraderError):
    """The command line names something that does not exist or cannot be used."""


class PluginError(GraderError):
    """An entry point in a group of grader is not what it says; the message names it."""


class RubricError(GraderError):
    """A rubric does not say something that can be graded; the message gives file, line, key and value."""


class AssignmentError(GraderError):
    """The folder of an assignment lacks a file or a function, or one of them is wrong."""


class GraderFault(GraderError):  # noqa: N818 -- the word of the closed set of outcomes
    """A submission could not be observed through our fault; it is `not_graded` and can be run again."""


class SandboxError(GraderFault):
    """A process of the sandbox could not be started, or ended without having run anything."""


class DamagedError(GraderFault):
    """What was kept of an observation cannot be read; dropped from the store, it is observed again."""


class NotebookUnreadable(Exception):  # noqa: N818 -- a student's fault, not an error of ours
    """No notebook can be made of the file that was handed in; the message says why, for the student."""
