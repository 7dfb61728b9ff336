"""What a check may ask of the course: `Planner` while it is planned, `Trusted` while a case is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from grader.subjects import Call, Case, Sweep
from grader.written import WrittenTask

if TYPE_CHECKING:  # it imports this
    from grader.checks.base import InputsCheck, ValueCheck


class Planner(Protocol):
    """What the planning of a check may ask for. In the grading the course answers, at home the kit."""

    seed: int
    has_reference: bool
    """Whether there is a reference: not at home."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the function's parameters."""
        ...

    def draws(self, generator: str) -> Iterator[list[Case]]:
        """Yield the inputs of a generator, and then further ones from other seeds, as many as there are."""
        ...

    def call(
        self,
        check: InputsCheck,
        case: Case,
        function: str = "",
        *,
        echo: bool = False,
        repeat: int = 0,
        sweep: Sweep | None = None,
    ) -> Call:
        """Return the call of the function, or of another one, on a case.

        `echo` asks for the arguments after the call; calls that differ in `repeat` alone are made apart.
        """
        ...

    def expected(self, check: ValueCheck, case: Case) -> Any:
        """Return what is right on a case, of the part of the result that the check looks at."""
        ...

    def function(self, name: str) -> Callable[..., Any]:
        """Return a function: the reference's or, at home, the student's own."""
        ...

    def metric(self, name: str) -> Callable[..., Any]:
        """Return a function of metrics.py."""
        ...

    def written(self, check: str, kind: str, name: str | None) -> WrittenTask:
        """Return the task of reading a written answer, with the content of a file of the course."""
        ...

    def made_for(self, case: Case, names: Sequence[str]) -> list[tuple[str, Case]]:
        """Return the calls of the functions `names` that the reference makes for a case, in order."""
        ...

    def answered(self, case: Case, names: Sequence[str]) -> Case:
        """Return a case in which the functions `names` answer as those of the reference do."""
        ...


class Trusted(Protocol):
    """What the judging of a case may ask the course for."""

    def metric(self, name: str) -> Callable[..., Any]:
        """Return a function of metrics.py."""
        ...

    def answered(self, call: Call, case: Case, answers: Mapping[str, Sequence[Any]]) -> Any:
        """Return what the reference makes of a case if calls of other functions give these answers, in order.

        `answers` is by function; whatever the reference raises is raised.
        """
        ...

    def mistaken(self, call: Call, codes: Sequence[str]) -> Callable[..., Any] | None:
        """Return `call(name, *arguments, **keywords)`, which calls the reference with known mistakes in it.

        None if a code is not the course's, or if the mistakes exclude each other.
        """
        ...
