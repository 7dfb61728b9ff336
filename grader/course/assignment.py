"""Loads the folder of an assignment: everything in it is the course's own code, and trusted.

    reference/<assignment>/
        notebook.ipynb    the instructor's notebook: the one source of solutions and skeleton
        inputs.py         generators: name(rng) -> list[Case]; optionally files(seed) -> {name: bytes}
        metrics.py        optional measures: name(value, case) -> float
        public.py         optional generators, like those of inputs.py, of the inputs that students get
        misconceptions.py optional: MISCONCEPTIONS, the known mistakes (grader.course.misconception)

None of this is ever visible to a process that runs student code.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
import traceback
import types
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import nbformat
import numpy as np

from grader.course.misconception import Misconception
from grader.course.reference_code import Reference, definitions, root_of
from grader.errors import AssignmentError, NotebookUnreadable
from grader.notebook.cells import Code, read_code
from grader.notebook.read import parse_notebook
from grader.notebook.skeleton import make_skeleton
from grader.notebook.slicing import slice_function, slice_variable
from grader.subjects import Case, Subject, SubjectKind

__all__ = ["Assignment", "Case", "load_assignment", "load_public_cases"]
MAX_FILES = 150  # each is copied into every box


@dataclass(frozen=True)
class Assignment:
    """A loaded assignment, for trusted processes only."""

    name: str
    notebook: Any
    skeleton: Any
    skeleton_code: Code
    namespace: Mapping[str, Any]
    inputs: types.ModuleType
    metrics: types.ModuleType | None
    files: Mapping[str, bytes]
    sources: Mapping[str, str] = field(default_factory=dict)
    misconceptions: tuple[Misconception, ...] = ()
    folder: Path = Path()

    @cached_property
    def handed_out(self) -> bytes:
        """The notebook as it was handed out, as the bytes of a file."""
        return str(nbformat.writes(self.skeleton)).encode()

    @property
    def reference(self) -> Reference:
        """The reference solution as code that can be changed."""
        return Reference(self.namespace, self.sources)

    def function(self, name: str) -> Callable[..., Any]:
        """Return a function, class or method of the reference; raise AssignmentError if there is none."""
        function = self.namespace.get(root_of(name))
        if "." in name:
            function = getattr(function, name.partition(".")[2], None)
        if not callable(function):
            raise AssignmentError(f"the reference notebook of {self.name} defines no function {name!r}")
        return cast(Callable[..., Any], function)

    def cases(self, generator: str, seed: int) -> list[Case]:
        """Return the inputs that a generator of inputs.py makes from a seed."""
        make = getattr(self.inputs, generator, None)
        if not callable(make):
            raise AssignmentError(f"reference/{self.name}/inputs.py has no generator {generator!r}")
        rng = np.random.default_rng([seed, zlib.crc32(generator.encode())])
        return made_by(make, rng, f"reference/{self.name}/inputs.py: {generator}()")

    def metric(self, name: str) -> Callable[[Any, Case], float]:
        """Return a measure of metrics.py."""
        measure = getattr(self.metrics, name, None)
        if not callable(measure):
            raise AssignmentError(f"reference/{self.name}/metrics.py has no metric {name!r}")
        return measure  # type: ignore[no-any-return]


def load_assignment(folder: Path, subjects: Iterable[Subject], seed: int) -> Assignment:
    """Load reference/<assignment>/; raise AssignmentError for what is missing or wrong in it."""
    for loaded in [name for name in sys.modules if name.split(".")[0] == _package(folder)]:
        del sys.modules[loaded]  # the files may have changed since they were imported
    path = folder / "notebook.ipynb"
    try:
        notebook = parse_notebook(path.read_bytes())
    except (OSError, NotebookUnreadable) as error:
        raise AssignmentError(f"{path}: cannot read the instructor's notebook: {error}") from error
    inputs = load_module(folder, "inputs")
    if inputs is None:
        raise AssignmentError(f"{folder / 'inputs.py'} is missing: it makes the inputs of the checks")
    skeleton = make_skeleton(notebook)
    make_files = getattr(inputs, "files", None)
    try:
        files = make_files(seed) if make_files else {}
    except Exception as error:  # whatever the course's own code raises
        where = f"{folder / 'inputs.py'}: files(){line_of(error)}"
        raise AssignmentError(f"{where} fails: {error!r}") from error
    if len(files) > MAX_FILES:
        raise AssignmentError(
            f"{folder / 'inputs.py'}: files() makes {len(files)} files; a box takes {MAX_FILES} of a course: "
            "put several into one"
        )
    reference = _reference(read_code(notebook), subjects, path)
    return Assignment(
        folder.name,
        notebook,
        skeleton,
        read_code(skeleton),
        reference.namespace,
        inputs,
        load_module(folder, "metrics"),
        files,
        reference.sources,
        _misconceptions(folder, reference),
        folder,
    )


def load_public_cases(folder: Path, generator: str) -> list[Case]:
    """Return the inputs of a generator of public.py; they do not depend on the seed of the hidden ones."""
    make = getattr(load_module(folder, "public"), generator, None)
    if not callable(make):
        raise AssignmentError(f"{folder / 'public.py'} has no generator {generator!r}")
    rng = np.random.default_rng(zlib.crc32(generator.encode()))
    return made_by(make, rng, f"{folder / 'public.py'}: {generator}()")


def made_by(make: Callable[[np.random.Generator], Any], rng: np.random.Generator, what: str) -> list[Case]:
    """Return the inputs that a generator makes; raise AssignmentError if it makes something else."""
    try:
        cases = list(make(rng))
    except Exception as error:  # whatever the course's own code raises
        raise AssignmentError(f"{what} fails{line_of(error)}: {error!r}") from error
    if not cases:
        raise AssignmentError(f"{what} makes no inputs")
    wrong = next((case for case in cases if not isinstance(case, Case)), None)
    if wrong is not None:
        raise AssignmentError(f"{what} makes a {type(wrong).__name__} where a Case is expected")
    return cases


def line_of(error: BaseException) -> str:
    """Return where in the course's files an exception comes from, '' if it does not."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "/reference/" in Path(frame.filename).as_posix() or frame.filename.startswith("<notebook.ipynb"):
            return f" ({Path(frame.filename).name}:{frame.lineno})"
    return ""


def _misconceptions(folder: Path, reference: Reference) -> tuple[Misconception, ...]:
    """Return the known mistakes; raise AssignmentError for one that cannot be executed as it is written."""
    module = load_module(folder, "misconceptions")
    if module is None:
        return ()
    mistakes = getattr(module, "MISCONCEPTIONS", None)
    path = folder / "misconceptions.py"
    if mistakes is None:
        raise AssignmentError(f"{path}: it defines no MISCONCEPTIONS")
    if not isinstance(mistakes, tuple | list) or not all(isinstance(m, Misconception) for m in mistakes):
        raise AssignmentError(f"{path}: MISCONCEPTIONS is not a sequence of Misconception")
    codes: set[str] = set()
    for mistake in mistakes:
        where = f"{path}: the misconception {mistake.code!r}"
        problem = mistake.problem() or ("it is given twice" if mistake.code in codes else "")
        if problem:
            raise AssignmentError(f"{where}: {problem}")
        codes.add(mistake.code)
        try:
            reference.edited(mistake.function, mistake.edits)
        except AssignmentError as error:
            raise AssignmentError(f"{where}: {error}") from error
    return tuple(mistakes)


def _reference(code: Code, subjects: Iterable[Subject], path: Path) -> Reference:
    """Execute the statements that the subjects of the rubric need (trusted code), in notebook order."""
    needed = {}
    for subject in subjects:
        if not (subject.is_called or subject.kind is SubjectKind.VARIABLE):
            continue
        definition = (
            slice_function(code, subject.root) if subject.is_called else slice_variable(code, subject.name)
        )
        if definition is None:
            raise AssignmentError(
                f"{path} does not define the {subject.kind.value} {subject.name!r}, which the rubric asks for"
            )
        needed.update({statement.place: statement.node for statement in definition.statements})
    namespace: dict[str, Any] = {"__name__": f"reference of {path.parent.name}"}
    for place in sorted(needed):
        unit = ast.Module(body=[needed[place]], type_ignores=[])
        try:
            exec(compile(unit, f"<{path.name}, cell {place[0]}>", "exec"), namespace)  # noqa: S102 -- trusted
        except Exception as error:  # whatever the course's own notebook raises
            raise AssignmentError(
                f"{path}: code cell {place[0]}, line {needed[place].lineno} fails: {error!r}"
            ) from error
    cells = {cell.number: cell.source for cell in code.cells}
    return Reference(namespace, definitions((needed[place], cells[place[0]]) for place in sorted(needed)))


def load_module(folder: Path, name: str) -> types.ModuleType | None:
    """Import a module of the assignment's folder, in a package of that folder alone; None if there is none.

    Bytecode is not written to disk: Python would run it in place of a file that was changed within the same
    second and has the same length.
    """
    if not (folder / f"{name}.py").is_file():
        return None
    package = _package(folder)
    if package not in sys.modules:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [str(folder)]
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return importlib.import_module(f"{package}.{name}")
    except Exception as error:  # whatever the course's own module raises
        raise AssignmentError(f"{folder / name}.py cannot be imported{line_of(error)}: {error!r}") from error
    finally:
        sys.dont_write_bytecode = kept


def _package(folder: Path) -> str:
    """Return the name of the package of the modules in a folder: two courses may name an assignment alike."""
    return f"_assignment_{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"
