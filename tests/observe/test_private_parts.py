"""Private and undocumented parts of other packages that grader uses: a new version that changes one fails here.

| package | part | where it is used | what for |
|---|---|---|---|
| jupyter_client | `KernelProvisionerBase` | observe/provisioner.py | its abstract methods |
| jupyter_client | `Session.send`, `session.extract_header` | inside/kernel.py | messages over a pipe |
| nbclient | `NotebookClient.process_message` | handler/notebook_run.py | called for each message of a cell |
| nbclient | `NotebookClient._display_id_map` | handler/notebook_run.py | where a display is shown again |
| nbclient | methods of its manager and client | handler/kernel_client.py | they are ours: two pipes |
| ipykernel | `IPythonKernel.set_parent`, `shell_handlers` | inside/kernel.py | one request after the other |
| ipykernel | `IPythonKernel._cancel_on_sigint`, `_abort_queues` | inside/kernel.py | replaced: there is one thread |
| ipykernel | `IPKernelApp.initialize`, `start` | inside/socket_kernel.py | a kernel with sockets in this process |
| ipykernel | names of modules | observe/warm.py, observe/provisioner.py | they are imported before the fork |
| IPython | `InteractiveShell.system` | inside/kernel.py | replaced: `!command` without a terminal |
| IPython | `events.callbacks["post_execute"]` | inside/harvest.py | to be called before others |
| IPython | the arrow in a traceback | handler/notebook_run.py | the line of an error |
| IPython | what `%time` becomes | notebook/cells.py | the statement behind it |
| IPython | the names that `%pylab` binds | notebook/cells.py | they count as bound |
| IPython | `user_ns["In"]` | student/live.py | the history of cells |
| matplotlib | `_pylab_helpers.Gcf` | inside/harvest.py | figures are kept before they are closed |
| numpy | `random.bit_generator.randbits` | inside/chance.py | generators without a seed |
| pygments | `token._TokenType` | pdf/code.py | an annotation |

`test_every_private_name_in_the_code_is_in_the_table` finds the names with an underscore; a part that has none is
found by reading.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import re
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import matplotlib as mpl
import nbformat
import numpy as np
import pytest
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from nbclient import NotebookClient
from support import ROOT
from support_kernel import OwnKernel, PlayedKernel

from grader.handler.kernel_client import PipeManager
from grader.handler.notebook_run import ANSI, QUIET, CappedClient
from grader.notebook.cells import AS_PYLAB_DOES, TIMED, to_python
from grader.observe.provisioner import SOCKET_MODULES, SandboxProvisioner
from grader.observe.sandbox import PlainSandbox
from grader.observe.warm import KERNEL_MODULES

PARTS = (  # package, module, name with dots, the parameters that we give (None: not called), the file
    ("jupyter_client", "session", "Session.send", None, "inside/kernel.py"),
    ("jupyter_client", "session", "extract_header", ("msg_or_header",), "inside/kernel.py"),
    (
        "nbclient",
        "client",
        "NotebookClient.process_message",
        ("msg", "cell", "cell_index"),
        "handler/notebook_run.py",
    ),
    ("ipykernel", "ipkernel", "IPythonKernel.set_parent", ("ident", "parent", "channel"), "inside/kernel.py"),
    ("ipykernel", "ipkernel", "IPythonKernel._cancel_on_sigint", ("future",), "inside/kernel.py"),
    ("ipykernel", "ipkernel", "IPythonKernel._abort_queues", (), "inside/kernel.py"),
    ("ipykernel", "kernelapp", "IPKernelApp.initialize", ("argv",), "inside/socket_kernel.py"),
    ("ipykernel", "kernelapp", "IPKernelApp.start", (), "inside/socket_kernel.py"),
    ("IPython", "core.interactiveshell", "InteractiveShell.system", None, "inside/kernel.py"),
    ("IPython", "core.events", "EventManager.register", ("event", "function"), "inside/harvest.py"),
    ("matplotlib", "_pylab_helpers", "Gcf.get_all_fig_managers", (), "inside/harvest.py"),
    ("matplotlib", "_pylab_helpers", "Gcf.destroy", ("num",), "inside/harvest.py"),
    ("matplotlib", "_pylab_helpers", "Gcf.destroy_all", (), "inside/harvest.py"),
    ("numpy", "random.bit_generator", "randbits", None, "inside/chance.py"),
    ("pygments", "token", "_TokenType", None, "pdf/code.py"),
)
SET_UP = {("handler/notebook_run.py", "_display_id_map")}  # an attribute of an instance, tried below
STANDARD = {"os._exit", "sys._getframe"}  # of Python, which documents both


@pytest.mark.parametrize(
    ("package", "module", "name", "parameters", "file"),
    PARTS,
    ids=[f"{part[0]}: {part[2]}" for part in PARTS],
)
def test_a_part_is_there_and_takes_what_we_give(
    package: str, module: str, name: str, parameters: tuple[str, ...] | None, file: str
) -> None:
    told = f"{package} {version(package)}: {name}, which grader/{file} uses,"
    found: Any = importlib.import_module(f"{package}.{module}")
    for part in name.split("."):
        assert hasattr(found, part), f"{told} is not there"
        found = getattr(found, part)
    if parameters is not None:
        try:
            inspect.signature(found).bind(*(["self"] if takes_self(found) else []), *parameters)
        except TypeError as error:
            pytest.fail(f"{told} has another signature: {inspect.signature(found)}: {error}")
        named = [each for each in inspect.signature(found).parameters if each != "self"]
        assert named[: len(parameters)] == list(parameters), f"{told} has other parameters"
    source = (ROOT / "grader" / file).read_text(encoding="utf-8")
    assert name.rpartition(".")[2] in source, "the list is out of date: the file does not use it any more"
    rows = [row for row in str(__doc__).splitlines() if row.startswith(f"| {package} |")]
    assert any(f" {file} " in row for row in rows), "the table at the top of this file has no row for it"


def takes_self(function: Any) -> bool:
    return next(iter(inspect.signature(function).parameters), "") == "self"


def test_every_private_name_in_the_code_is_in_the_table() -> None:
    trees = {
        str(path.relative_to(ROOT / "grader")): ast.parse(path.read_text(encoding="utf-8"))
        for path in (ROOT / "grader").rglob("*.py")
    }
    ours = {name for tree in trees.values() for name in defined(tree)}
    used = {(file, name) for file, tree in trees.items() for name in private_names(tree, ours)}
    listed = {(file, part) for _, module, name, _, file in PARTS for part in f"{module}.{name}".split(".")}
    assert {name for _, name in used} >= {"_display_id_map", "_pylab_helpers"}
    assert sorted(used - listed - SET_UP) == [], "put them into PARTS and into the table"


def defined(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a file defines: functions, classes, variables, attributes of `self`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and of_self(node):
            yield node.attr


def of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def private_names(tree: ast.Module, ours: set[str]) -> Iterator[str]:
    """Yield the private names that a file takes from another package: attributes, methods, imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            of_base = ast.unparse(node.value) == "super()"
            if (of_base or node.attr not in ours) and ast.unparse(node) not in STANDARD:
                yield node.attr
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("grader"):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (name for name in names if name.startswith("_") and not name.startswith("__"))


CELLS = (
    "%matplotlib inline\nfrom grader.inside import harvest\nshell = get_ipython()\nharvest.install(shell)",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2], [3, 4])\nplt.title('mine');",
    "(figure,) = harvest.DRAWN.figures[1]\nprint(figure['axes'][0]['title'])",
    "print([getattr(each, '__name__', '') for each in shell.events.callbacks['post_execute']])",
    "value = 1\nraise ValueError('no')",
    "commands = []\nshell.system = lambda command: commands.append(command)\n!ls {value}",
    "print(*commands, shell.var_expand(commands[0], depth=0))",
    "print(shell.user_ns['In'][3].splitlines()[0])",
    "_ = display(1, display_id='one')",
)
FIGURE, KEPT, ORDER, ERROR, _, SYSTEM, HISTORY, _ = range(1, len(CELLS))


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """Run the cells once, in a kernel of ours without walls, with our client; return the cells and messages."""
    told: list[tuple[str, int]] = []
    places: dict[str, Any] = {}

    class Notebook(CappedClient):
        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            told.append((msg["msg_type"], cell_index))
            return super().process_message(msg, cell, cell_index)

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])

    async def converse() -> None:
        with OwnKernel(PlainSandbox()) as own:
            kernel = PlayedKernel()
            kernel.requests, kernel.messages = own.requests.fileno(), own.messages
            manager: Any = PipeManager(kernel)
            client = Notebook(notebook, km=manager, allow_errors=True, timeout=120, log=QUIET)
            own.ask("import sys; sys.path.insert(0, " + repr(str(ROOT)) + ")")
            await client.async_start_new_kernel_client()
            for index, cell in enumerate(notebook.cells):
                client.begin(1 << 20)
                await client.async_execute_cell(cell, index)
            assert client.kc is not None
            client.kc.stop_channels()
            places.update(client._display_id_map)

    asyncio.run(converse())
    return {"cells": notebook.cells, "messages": told, "places": places}


def text(seen: dict[str, Any], number: int) -> str:
    """Return what a cell printed, or its error."""
    outputs = seen["cells"][number].outputs
    return "".join(output.get("text", "") or output.get("evalue", "") for output in outputs).strip()


def test_each_message_of_a_cell_passes_through_process_message(seen: dict[str, Any]) -> None:
    kinds = {kind for kind, index in seen["messages"] if index == FIGURE}
    assert kinds >= {"status", "display_data"}
    assert ("error", ERROR) in seen["messages"]
    assert ("stream", KEPT) in seen["messages"]


def test_figures_are_kept_before_the_backend_closes_them(seen: dict[str, Any]) -> None:
    assert text(seen, KEPT) == "mine", "pre_run_cell and post_execute are not called around each cell"
    callbacks = ast.literal_eval(text(seen, ORDER))
    assert callbacks[0] == "keep_all", f"events.callbacks is no list in the order of the calls: {callbacks}"
    assert "flush_figures" in callbacks[1:], "the inline backend does not close figures at post_execute"


def test_the_arrow_of_a_traceback_stands_at_the_line_of_the_cell(seen: dict[str, Any]) -> None:
    (error,) = [output for output in seen["cells"][ERROR].outputs if output.output_type == "error"]
    trace = ANSI.sub("", "\n".join(error.traceback))
    assert re.findall(r"^-+> (\d{1,9}) ", trace, re.M) == ["2"], f"IPython marks the line otherwise:\n{trace}"
    source = (ROOT / "grader/handler/notebook_run.py").read_text(encoding="utf-8")
    assert r'r"^-+> (\d{1,9}) "' in source


def test_a_shell_command_is_run_by_the_shells_own_method(seen: dict[str, Any]) -> None:
    assert text(seen, SYSTEM) == "ls {value} ls 1", "shell.system is not called with the text to expand"


def test_a_display_is_known_by_its_id_in_the_cells_that_show_it(seen: dict[str, Any]) -> None:
    assert [len(places) for places in seen["places"].values()] == [1]


def test_the_shell_has_its_history(seen: dict[str, Any]) -> None:
    assert text(seen, HISTORY) == CELLS[1].splitlines()[0], "user_ns['In'] is not the list of cells"


def test_a_provisioner_has_every_method_that_jupyter_client_wants() -> None:
    wanted = set(KernelProvisionerBase.__abstractmethods__)
    assert wanted - set(vars(SandboxProvisioner)) == set(), "jupyter_client wants further methods"
    assert issubclass(CappedClient, NotebookClient)


@pytest.mark.parametrize(
    "name", [name for name in (*KERNEL_MODULES, *SOCKET_MODULES) if not name.startswith("inside.")]
)
def test_a_module_that_is_imported_before_the_fork_exists(name: str) -> None:
    package = name.partition(".")[0].replace("_", "-")
    assert find_spec(name), f"{package} {version(package)} has no module {name}: kernels start more slowly"


def test_time_becomes_a_call_of_its_magic() -> None:
    from IPython.core.inputtransformer2 import TransformerManager

    python = TransformerManager().transform_cell("%time x = 'a b'\n")
    assert TIMED.search(python), f"IPython translates %time otherwise: {python}"
    assert to_python("%time x = 'a b'\n").strip() == "x = 'a b'"


def test_pylab_binds_the_names_that_its_replacement_binds() -> None:
    from IPython.core.pylabtools import import_pylab

    theirs: dict[str, Any] = {}
    import_pylab(theirs)
    ours: dict[str, Any] = {}
    exec(AS_PYLAB_DOES, ours)
    assert len(theirs) > 500
    # import_pylab leaves these to the shell, which binds display functions under them
    assert set(theirs) - set(ours) <= {"getfigs", "figsize", "display"}


def test_pyplot_closes_figures_through_the_attributes_of_gcf(monkeypatch: pytest.MonkeyPatch) -> None:
    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib._pylab_helpers import Gcf

    figures: Any = Gcf
    closed: list[Any] = []
    destroy, destroy_all = Gcf.destroy, Gcf.destroy_all
    monkeypatch.setattr(figures, "destroy", lambda *each: closed.append("one") or destroy(*each))
    monkeypatch.setattr(figures, "destroy_all", lambda *each: closed.append("all") or destroy_all(*each))
    first = plt.figure()
    plt.figure()
    assert first in [manager.canvas.figure for manager in Gcf.get_all_fig_managers()]
    plt.close()
    assert closed == ["one"], "plt.close() does not call Gcf.destroy"
    plt.close("all")
    assert closed[-1] == "all", "plt.close('all') does not call Gcf.destroy_all"
    assert Gcf.get_all_fig_managers() == []


def test_numpy_takes_its_entropy_from_randbits(monkeypatch: pytest.MonkeyPatch) -> None:
    from numpy.random import bit_generator

    asked: list[int] = []
    monkeypatch.setattr(bit_generator, "randbits", lambda bits: asked.append(bits) or 7)
    first, second = np.random.default_rng().random(3), np.random.default_rng().random(3)
    assert asked, "default_rng() does not call numpy.random.bit_generator.randbits"
    assert first.tolist() == second.tolist(), "a generator without a seed has a further source of entropy"
    assert np.random.SeedSequence().entropy == 7
