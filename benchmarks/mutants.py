"""How many small changes of the core the tests notice: a sample of mutations, each with the tests for it.

    python benchmarks/mutants.py [--number 300] [--seed 0] [--out mutants.json] [--only numerics] [--jobs 2]

A mutation changes one place of a module's syntax tree: a comparison, an operator, a number, `and` and `or`, a
`not`, `min` and `max`, or a statement that is left out. For each, the tests of the matching folder run first
and then those of the folders that build on it, until one fails, in a copy of the tree. What is found is
written to the file after every mutation; what that file holds already is not tried again, so that a run may
be interrupted and continued. `--survivors` tries only what survived before, after tests were added.

A survivor is either a gap in the tests or a change without effect; only a person can tell which.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parent.parent
MEMORY = 8 << 30  # bytes that the tests of a mutation may allocate: an endless loop may fill a list
# The tests that can catch a change in a folder or file, those nearest to it first.
TESTS = {
    "grader/judge": (
        "judge",
        "test_follow_through.py",
        "checks",
        "plan",
        "test_exercise_11_follow_through.py",
    ),
    "grader/numerics": ("numerics", "checks", "judge", "plan", "student/test_check.py", "verify"),
    "grader/checks": ("checks", "plan", "judge", "course", "test_follow_through.py", "student/test_check.py"),
    "grader/course/score.py": ("course", "test_flow.py", "test_follow_through.py", "exports"),
    "grader/notebook": ("notebook", "test_subjects.py", "intake", "course", "test_flow.py"),
    "grader/store": ("store", "observe/test_keys.py", "batch/test_pool.py", "test_flow.py"),
}
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "results", "dist"
)
NOT_CODE = {"annotation", "returns", "decorator_list", "ctx"}  # fields of the tree that nothing is changed in

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
OPPOSITES = {"min": "max", "any": "all", "minimum": "maximum"}
OPPOSITES |= {second: first for first, second in OPPOSITES.items()}


@dataclass(frozen=True)
class Mutation:
    """One change: where it is, what it is, and the text of the changed module."""

    file: str
    line: int
    column: int
    change: str
    text: str  # the line as it is in the file
    module: str
    source: str  # a digest of the unchanged file: a result belongs to it

    @property
    def key(self) -> str:
        """The name of the change in the file of results."""
        return f"{self.file}:{self.line}:{self.column}: {self.change} @{self.source}"


@dataclass(frozen=True)
class Found:
    """What became of one mutation: `caught`, `timeout` (also caught) or `survived`."""

    file: str
    line: int
    change: str
    text: str
    result: str
    by: str  # the first test that failed
    seconds: float


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a node may be changed into."""

    def changed(**fields: object) -> ast.AST:
        new = copy.copy(node)
        for name, value in fields.items():
            setattr(new, name, value)
        return new

    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                for other in COMPARISONS[type(operator)]:
                    yield changed(ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])
        case ast.BinOp() | ast.AugAssign() if type(node.op) in OPERATORS:
            yield changed(op=OPERATORS[type(node.op)]())
        case ast.BoolOp():
            yield changed(op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
            for place in range(len(node.values)):
                rest = [*node.values[:place], *node.values[place + 1 :]]
                yield rest[0] if len(rest) == 1 else changed(values=rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(value * 10 if value else 1.0)
        case ast.Call(func=ast.Name(id=name)) if name in OPPOSITES:
            yield changed(func=ast.Name(OPPOSITES[name], ast.Load()))
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in OPPOSITES:
            yield changed(func=ast.Attribute(owner, OPPOSITES[name], ast.Load()))
    if _can_be_left_out(node):
        yield ast.Pass()


def _can_be_left_out(node: ast.AST) -> bool:
    """Whether a module without this statement still makes sense, and may do something else."""
    match node:
        case ast.Expr():
            return not isinstance(node.value, ast.Constant | ast.Yield)
        case ast.If():
            return not node.orelse
        case ast.Return():
            return node.value is not None
        case ast.Assign():
            return all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets)
    return isinstance(node, ast.AugAssign | ast.Raise | ast.Continue | ast.Break | ast.Delete)


def places(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that may be changed: no annotations, decorators, types, or imports for types alone."""
    for field, value in ast.iter_fields(node):
        if field in NOT_CODE:
            continue
        children = value if isinstance(value, list) else [value]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            children = children[:1] if field == "args" else []
        for child in children:
            types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            if isinstance(child, ast.AST) and not types:
                yield child
                yield from places(child)


class _Replacing(ast.NodeTransformer):
    """Puts another node in the place of one."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """Return the new node for the old one."""
        return self.new if node is self.old else self.generic_visit(node)


def mutations(root: Path, file: str) -> list[Mutation]:
    """Return every mutation of a file, in the order of its lines."""
    text = (root / file).read_text(encoding="utf-8")
    lines = text.splitlines()
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    tree = ast.parse(text)
    whole = ast.unparse(tree)
    found = {}
    for node in places(tree):
        for new in variants(node):
            # A node that is replaced is put back, so that one tree serves for all.
            module = ast.unparse(_Replacing(node, new).visit(tree))
            _Replacing(new, node).visit(tree)
            change = f"{_brief(node)}  ->  {_brief(new)}"
            line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
            if module != whole:
                found[module] = Mutation(file, line, column, change, lines[line - 1].strip(), module, digest)
    return sorted(found.values(), key=lambda each: (each.line, each.column, each.change))


def _brief(node: ast.AST) -> str:
    """Return code in one line; of a statement with others inside, its head."""
    return " ".join((ast.unparse(node).split(":\n")[0]).split())


def sample(root: Path, number: int, seed: int, only: str) -> list[Mutation]:
    """Return a random sample; one of a larger number begins with that of a smaller one."""
    files: list[str] = []
    for target in TESTS:
        inner = sorted((root / target).rglob("*.py")) if (root / target).is_dir() else [root / target]
        files += [path.relative_to(root).as_posix() for path in inner]
    every = [each for file in files if only in file for each in mutations(root, file)]
    random.Random(seed).shuffle(every)
    return every[:number]


def tests_of(file: str) -> list[str]:
    """Return the tests that can catch a change in a file, those nearest to it first."""
    tests = next(tests for target, tests in TESTS.items() if file == target or file.startswith(f"{target}/"))
    return [f"tests/{each}" for each in tests]


class Workshop:
    """Runs tests in copies of the tree, one mutation in each at a time; `close` ends what is running."""

    def __init__(self, root: Path, folder: Path, jobs: int, limit: float) -> None:
        self.limit = limit
        self.closed = False
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._free: SimpleQueue[Path] = SimpleQueue()
        copies = [folder / str(number) for number in range(jobs)]
        self._seconds = dict.fromkeys(copies, 0)
        for place in copies:
            shutil.copytree(root, place, ignore=LEFT_OUT, symlinks=True)
            self._free.put(place)

    def unchanged(self, file: str) -> None:
        """Run the tests of a file without a mutation; raise SystemExit if one fails."""
        place = self._free.get()
        try:
            code, said = self._run(place, tests_of(file))
        finally:
            self._free.put(place)
        if code != 0 and not self.closed:
            raise SystemExit(f"the tests fail without any mutation:\n{said}")

    def try_out(self, mutation: Mutation) -> Found | None:
        """Run the tests on a mutation; None if the run was ended from outside."""
        place = self._free.get()
        path = place / mutation.file
        text, times = path.read_text(encoding="utf-8"), path.stat()
        started = time.monotonic()
        try:
            path.write_text(mutation.module + "\n", encoding="utf-8")
            # Python takes compiled code for that of a file with the same size and second: give it another.
            self._seconds[place] += 1
            os.utime(path, (times.st_atime, self._seconds[place]))
            code, said = self._run(place, tests_of(mutation.file))
        finally:
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            self._free.put(place)
        if self.closed:
            return None
        result = {None: "timeout", 0: "survived"}.get(code, "caught")
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.M)
        by = failed[1] if failed else ""
        seconds = round(time.monotonic() - started, 1)
        return Found(mutation.file, mutation.line, mutation.change, mutation.text, result, by, seconds)

    def _run(self, place: Path, tests: Sequence[str]) -> tuple[int | None, str]:
        """Return the exit code of the tests, None if they took too long, and the end of what they said."""
        environment = {**os.environ, "PYTHONPATH": str(place)}
        options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
        shutil.rmtree(place / ".hypothesis", ignore_errors=True)  # no example of another mutation
        with self._lock:
            if self.closed:
                return None, ""
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *options, *tests],
                cwd=place,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
        try:
            said = process.communicate(timeout=self.limit)[0]
        except subprocess.TimeoutExpired:
            _end(process)
            said = process.communicate()[0]
            return None, said[-3000:]
        finally:
            with self._lock:
                self._running.discard(process)
        return process.returncode, said[-3000:]

    def close(self) -> None:
        """End the tests that are running, and start no more."""
        with self._lock:
            self.closed = True
            for process in self._running:
                _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _report(wanted: Sequence[Mutation], found: dict[str, Found]) -> None:
    """Print the share that is caught, and every survivor."""
    results = [found[each.key] for each in wanted if each.key in found]
    survivors = [each for each in results if each.result == "survived"]
    caught = len(results) - len(survivors)
    late = sum(each.result == "timeout" for each in results)
    print(f"\n{caught} of {len(results)} mutations caught ({late} of them by the time limit); survivors:")
    for each in sorted(survivors, key=lambda each: (each.file, each.line)):
        print(f"{each.file}:{each.line}: {each.change}    in: {each.text}")


def main() -> None:
    """Sample, try out, and say what survived."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=300, help="mutations to sample (300)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (0)")
    parser.add_argument("--out", type=Path, default=Path("mutants.json"), help="the results (mutants.json)")
    parser.add_argument("--only", default="", help="only files with this in their path")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=2, help="tests at a time (2)")
    parser.add_argument(
        "--limit", type=float, default=600.0, help="seconds of the tests of one mutation (600)"
    )
    parser.add_argument("--survivors", action="store_true", help="try what survived again, and nothing else")
    options = parser.parse_args()

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end it as an interrupt does
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    known = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
    found = {key: Found(**each) for key, each in known.items()}
    wanted = sample(ROOT, options.number, options.seed, options.only)
    if options.survivors:
        open_ = [each for each in wanted if each.key in found and found[each.key].result == "survived"]
    else:
        open_ = [each for each in wanted if each.key not in found]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        workshop = Workshop(ROOT, Path(folder), options.jobs, options.limit)
        with ThreadPoolExecutor(options.jobs) as pool:
            try:
                firsts = {tests_of(each.file)[0]: each.file for each in open_}
                list(pool.map(workshop.unchanged, firsts.values()))
                tried = pool.map(workshop.try_out, open_)
                for count, (mutation, result) in enumerate(zip(open_, tried, strict=True), 1):
                    if result is None:
                        continue
                    found[mutation.key] = result
                    text = json.dumps({key: asdict(each) for key, each in found.items()}, indent=1)
                    fresh = options.out.with_suffix(".part")
                    fresh.write_text(text, encoding="utf-8")
                    fresh.replace(options.out)
                    print(f"{count}/{len(open_)} {result.result:8} {mutation.key}", flush=True)
            except KeyboardInterrupt:
                print("interrupted; the same command continues")
            finally:
                workshop.close()
    _report(wanted, found)


if __name__ == "__main__":
    main()
