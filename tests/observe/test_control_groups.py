"""Control groups: where they are found, what they do to a box, and that nothing of them is left."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from support import RIGHT, notebook, sliced, write_course

from grader.batch.pool import TRIES, Graded, grade_all
from grader.errors import GraderFault, SandboxError
from grader.inside.limits import PROCESSES
from grader.intake.submissions import Submission, find_submissions
from grader.notebook.cells import read_code
from grader.observe import attack_walls as probe
from grader.observe import control_groups, warm
from grader.observe.attack_walls import bait, probe_sandbox
from grader.observe.call_functions import CallSettings, make_calls
from grader.observe.control_groups import CONTROLLERS, Group, Groups, Home, find_homes
from grader.observe.layers import OPTIONAL
from grader.observe.sandbox import Process, Program, run_directory
from grader.observe.tiers import start_best
from grader.observe.warm import WarmSandbox
from grader.plan.load import load_course
from grader.records import Outcome, OutcomeKind, Score, Status
from grader.store import Store
from grader.subjects import Call, CallLimits

SCOPE = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-r5.scope"
OFFERED = find_homes()[0]


def controlled(*names: str) -> list[object]:
    """The controllers that this machine offers, as parameters; the others with the reason why not."""
    offered = [name for home in OFFERED for name in home.controllers]
    reason = f"no groups of this controller can be made here: {find_homes()[1]}"
    skip = pytest.mark.skip(reason=reason)
    return [pytest.param(name, marks=[] if name in offered else [skip]) for name in names or CONTROLLERS]


@dataclass
class Machine:
    """A file tree with what the kernel says on a machine: /proc/self/{cgroup,mountinfo}, the groups."""

    root: Path
    mounts: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def mount(self, point: str, kind: str, options: str, root: str = "/") -> None:
        where = self.root / point
        where.mkdir(parents=True, exist_ok=True)
        number = 30 + len(self.mounts)
        self.mounts.append(
            f"{number} 23 0:{number} {root} {where} rw,nosuid shared:9 - {kind} {kind} rw,{options}"
        )

    def process(self) -> Path:
        (self.root / "cgroup").write_text("".join(line + "\n" for line in self.groups))
        (self.root / "mountinfo").write_text(
            "".join(line + "\n" for line in ["22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw", *self.mounts])
        )
        return self.root

    def group(self, path: str, controllers: str, processes: str = "") -> Path:
        where = self.root / path
        where.mkdir(parents=True, exist_ok=True)
        texts = {"controllers": controllers, "procs": processes, "subtree_control": "", "events": ""}
        for name, text in texts.items():
            (where / f"cgroup.{name}").write_text(text)
        return where


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(control_groups, "END_SECONDS", 0.0)  # a file tree keeps what is in a directory
    return Machine(tmp_path)


def unified(machine: Machine, controllers: str = "cpuset cpu io memory pids\n", processes: str = "") -> Path:
    machine.mount("sys/fs/cgroup", "cgroup2", "nsdelegate,memory_recursiveprot")
    machine.groups.append(f"0::{SCOPE}")
    return machine.group(f"sys/fs/cgroup{SCOPE}", controllers, processes or f"{os.getpid()}\n")


def test_the_hierarchies_of_version_1_are_found_each_with_its_own_path(machine: Machine) -> None:
    for names in ("cpu,cpuacct", "memory", "pids", "freezer"):
        machine.mount(f"sys/fs/cgroup/{names}", "cgroup", names)
    machine.mount("sys/fs/cgroup/unified", "cgroup2", "nsdelegate")
    machine.groups += ["9:name=systemd:/", "4:memory:/jobs/7", "3:cpuacct,cpu:/", "2:pids:/", "0::/"]
    machine.group("sys/fs/cgroup/unified", "hugetlb\n")
    (machine.root / "sys/fs/cgroup/memory/jobs/7").mkdir(parents=True)
    homes, why = find_homes(machine.process())
    base = machine.root / "sys/fs/cgroup"
    assert {home.controllers: home.directory for home in homes} == {
        ("memory",): base / "memory/jobs/7",
        ("cpu",): base / "cpu,cpuacct",
        ("pids",): base / "pids",
    }
    assert {home.version for home in homes} == {1}
    assert why == ""


def test_in_a_container_that_mounts_its_own_part_the_path_begins_there(machine: Machine) -> None:
    machine.mount("sys/fs/cgroup/memory", "cgroup", "memory", root="/docker/4f2a")
    machine.groups.append("5:memory:/docker/4f2a/inner")
    (machine.root / "sys/fs/cgroup/memory/inner").mkdir()
    (home,), why = find_homes(machine.process())
    assert home.directory == machine.root / "sys/fs/cgroup/memory/inner"
    assert "no control group for pids, cpu: " in why


def test_a_hierarchy_that_is_mounted_read_only_is_none(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.mount("sys/fs/cgroup/memory", "cgroup", "memory")
    machine.groups.append("5:memory:/")
    monkeypatch.setattr("os.access", lambda *_: False)
    homes, why = find_homes(machine.process())
    assert homes == []
    assert "no control group for memory: " in why
    root = os.getuid() == 0
    assert ("docker run --privileged" if root else "sudo grader grade") in why


def test_a_delegated_group_of_version_2_is_entered_by_a_leaf_and_left_again(machine: Machine) -> None:
    own = unified(machine)
    groups = Groups.open(machine.process())
    assert groups.homes == (Home(own, 2, CONTROLLERS),)
    assert groups.why == ""
    (leaf,) = own.glob("grader-*-self")
    assert (leaf / "cgroup.procs").read_text() == "0"
    assert (own / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    (box,) = groups.make(700).directories
    written = {path.name: path.read_text() for path in box.iterdir()}
    assert written == {"memory.max": str(700 << 20), "pids.max": str(PROCESSES + 8), "cpu.weight": "100"}
    groups.close()
    assert (own / "cgroup.subtree_control").read_text() == "-memory -pids -cpu"
    assert (own / "cgroup.procs").read_text() == "0"


def test_a_group_that_refuses_to_pass_its_controllers_on_is_left_as_it_was(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = unified(machine)
    real = control_groups._pass_on

    def refuse(home: Home, sign: str) -> None:
        if sign == "+":
            raise OSError("Device or resource busy")
        real(home, sign)

    monkeypatch.setattr(control_groups, "_pass_on", refuse)
    groups = Groups.open(machine.process())
    assert groups.homes == ()
    assert "control groups do not work here: Device or resource busy" in groups.why
    assert (own / "cgroup.procs").read_text() == "0"  # came back
    assert control_groups._ENTERED[own] == 0


def test_two_sandboxes_share_the_leaf_and_the_last_one_leaves_it(machine: Machine) -> None:
    own = unified(machine)
    first = Groups.open(machine.process())
    (leaf,) = own.glob("grader-*-self")
    machine.groups[-1] += f"/{leaf.name}"
    (own / "cgroup.procs").write_text("")
    second = Groups.open(machine.process())
    assert second.homes == first.homes
    first.close()
    assert (own / "cgroup.subtree_control").read_text().startswith("+")
    second.close()
    assert (own / "cgroup.subtree_control").read_text().startswith("-")


def test_the_controllers_stay_on_while_another_grader_has_its_leaf_there(machine: Machine) -> None:
    own = unified(machine)
    groups = Groups.open(machine.process())
    (own / "grader-4026531836-1-self").mkdir()
    groups.close()
    assert (own / "cgroup.subtree_control").read_text().startswith("+")


def test_a_group_of_version_2_with_other_processes_is_none_and_the_command_is_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = unified(machine, processes=f"1234\n{os.getpid()}\n")
    monkeypatch.setattr("os.getuid", lambda: 1000)
    groups = Groups.open(machine.process())
    assert groups.homes == ()
    assert f"other processes are in {own}" in groups.why
    assert "systemd-run --user --scope -p Delegate=yes grader grade" in groups.why
    assert (own / "cgroup.subtree_control").read_text() == ""


def test_processes_that_we_have_started_ourselves_move_along(machine: Machine) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            own = unified(machine, processes=f"{child.pid}\n{os.getpid()}\n")
            groups = Groups.open(machine.process())
            (leaf,) = own.glob("grader-*-self")
            moved = (leaf / "cgroup.procs").read_text()
            groups.close()
        finally:
            child.kill()
    assert groups.why == ""
    assert moved == str(child.pid)


def test_a_group_that_belongs_to_another_user_is_none_and_the_command_is_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    unified(machine)
    monkeypatch.setattr("os.access", lambda *_: False)
    homes, why = find_homes(machine.process())
    assert homes == []
    assert "is not delegated to this user; `systemd-run " in why


def test_of_a_group_that_passes_on_two_controllers_two_are_used(machine: Machine) -> None:
    unified(machine, "memory pids\n")
    (home,), why = find_homes(machine.process())
    assert home.controllers == ("memory", "pids")
    assert "no control group for cpu" in why


def test_a_machine_without_control_groups_has_none(machine: Machine) -> None:
    assert find_homes(machine.process())[0] == []
    groups = Groups.open(machine.root / "absent")
    assert groups.homes == ()
    assert groups.make(700).directories == ()
    assert "no control group for memory, pids, cpu" in groups.why


def test_a_group_that_cannot_be_made_is_our_fault_and_leaves_nothing_half_made(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    homes = (Home(tmp_path / "memory", 1, ()), Home(tmp_path / "absent", 1, ("pids",)))
    with pytest.raises(SandboxError, match=r"no control group could be made.*absent"):
        Groups(homes).make(700)
    assert list((tmp_path / "memory").iterdir()) == []


def test_what_was_not_ended_is_removed_when_the_groups_are_closed(tmp_path: Path) -> None:
    groups = Groups((Home(tmp_path, 1, ()),))
    groups.make(700)
    assert len(list(tmp_path.iterdir())) == 1
    groups.close()
    assert list(tmp_path.iterdir()) == []


def test_groups_of_dead_graders_are_swept_and_those_of_living_ones_kept(tmp_path: Path) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    space = Path("/proc/self/ns/pid").stat().st_ino
    names = [f"grader-{space}-{int(dead.stdout)}-3", f"grader-{space}-1-4", f"grader-7-{int(dead.stdout)}-3"]
    for name in names:
        (tmp_path / name).mkdir()
    control_groups.sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


# on real groups


@pytest.fixture(scope="module")
def box() -> Iterator[WarmSandbox]:
    """The strongest box of this machine."""
    sandbox = start_best(("numpy",))[0]
    if sandbox is None:
        pytest.skip("no box can be built here, so there is nothing to put into a group; finding is tested")
    with sandbox:
        if OFFERED and not sandbox.groups.homes:
            pytest.skip(sandbox.groups.why)
        yield sandbox


def ours() -> set[Path]:
    """The groups that this process has made and not removed."""
    mine = f"grader-*-{os.getpid()}-[0-9]*"
    return {path for home in OFFERED for path in home.directory.glob(mine)}


@contextlib.contextmanager
def started(box: WarmSandbox) -> Iterator[Process]:
    """A box that waits for what it is to do."""
    with run_directory(box.scratch) as folder:
        process = box.launch(Program("probe", folder, modules=()))
        try:
            yield process
        finally:
            process.kill()


def leave_a_process(process: Process) -> None:
    """Let a box fork; what it forks leaves its session and hears no signal."""
    assert process.stdin is not None
    process.stdin.write(json.dumps({"layers": ["clock"], "known": {}}).encode())
    process.stdin.close()


def call(box: WarmSandbox, source: str) -> Outcome:
    code = read_code(nbformat.reads(notebook(source), as_version=4))
    slices = {"f": sliced(code, "f")}
    settings = CallSettings(("numpy",), 20, 20)
    return make_calls(slices, [Call("one", "f", (2.0,))], box, settings, {})["one"]


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def members(group: Path) -> set[int]:
    return set(map(int, (group / "cgroup.procs").read_text().split()))


def weight(group: Path) -> str:
    (file,) = (path for path in (group / "cpu.shares", group / "cpu.weight") if path.exists())
    return file.read_text()


@pytest.mark.parametrize("controller", controlled())
def test_a_box_with_all_that_it_starts_is_in_a_group_of_its_own(box: WarmSandbox, controller: str) -> None:
    (home,) = (home for home in box.groups.homes if controller in home.controllers)
    before = ours()
    with started(box) as one, started(box):
        groups = [path for path in ours() - before if path.parent == home.directory]
        assert len(groups) == 2
        wait_for(lambda: all(map(members, groups)))
        leave_a_process(one)
        wait_for(lambda: sorted(len(members(path)) for path in groups) == [1, 2])
        assert os.getpid() not in members(groups[0]) | members(groups[1])


@pytest.mark.parametrize("controller", controlled("cpu"))
def test_a_box_with_many_busy_processes_weighs_as_much_as_its_neighbour(
    box: WarmSandbox, controller: str
) -> None:
    before = ours()
    with started(box), started(box):
        groups = [path for path in ours() - before if list(path.glob("cpu.*"))]
        assert len(groups) == 2
        assert weight(groups[0]) == weight(groups[1])
        assert len({path.parent for path in groups}) == 1


@pytest.mark.parametrize("controller", controlled("pids"))
def test_more_processes_than_the_group_may_have_are_refused(
    box: WarmSandbox, controller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = """
import os, signal, time
def f(x):
    made = []
    try:
        for _ in range(100):
            made.append(os.fork())
            if made[-1] == 0:
                time.sleep(20)
                os._exit(0)
    except BlockingIOError:
        pass
    for pid in made:
        os.kill(pid, signal.SIGKILL)
    return len(made)
"""
    monkeypatch.setattr(control_groups, "PROCESSES", 20)
    assert 10 < call(box, many).value < 20 + control_groups.SPARE_PROCESSES


@pytest.mark.parametrize("controller", controlled("pids"))
def test_a_group_that_was_closed_lets_no_process_start_and_killing_closes_it_first(
    box: WarmSandbox, controller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started(box) as process:
        process._group.close()
        leave_a_process(process)  # with one it would never end
        assert json.loads(probe._read(process, 10)) == {"clock": ""}
    order: list[str] = []
    with started(box) as process:
        monkeypatch.setattr(process._group, "close", lambda: order.append("closed"))
        monkeypatch.setattr(process._parent, "kill", lambda _: order.append("killed"))
        process.kill()
        monkeypatch.undo()
    assert order == ["closed", "killed"]


@pytest.mark.parametrize("counted", [True, False])
def test_the_limit_of_a_user_gives_way_to_that_of_the_group(counted: bool) -> None:
    code = (
        "import sys, resource; sys.path.insert(0, sys.argv[1]); from inside import limits, walls; "
        f"before = resource.getrlimit(resource.RLIMIT_NPROC); walls.limit(512, counted={counted}); "
        "after = resource.getrlimit(resource.RLIMIT_NPROC); "
        "print(after == before, after[0] == limits.PROCESSES)"
    )
    command = [sys.executable, "-I", "-c", code, str(Path(control_groups.__file__).parent.parent)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(counted), str(not counted)]


@pytest.mark.parametrize("controller", controlled("memory"))
def test_memory_that_the_kernel_holds_for_a_box_counts_and_without_a_group_it_does_not(
    controller: str, box: WarmSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bait() as known:
        (found,) = probe_sandbox(box, known, OPTIONAL)
        assert found.holds, found.detail
        monkeypatch.setattr(box, "groups", Groups(why="there is none"))
        (found,) = probe_sandbox(box, known, OPTIONAL)
    assert not found.holds
    assert "in sockets: there is none" in found.detail


@pytest.mark.parametrize("controller", controlled("memory"))
def test_a_program_that_the_kernel_ends_for_its_group_ran_out_of_memory(
    controller: str, box: WarmSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "BESIDE_MB", -2 * CallLimits().memory_mb + 100)
    outcome = call(box, "def f(x):\n    return len(bytearray(b'1') * (300 << 20))")
    assert outcome.kind is OutcomeKind.OUT_OF_MEMORY
    assert call(box, "def f(x):\n    return 2 * x").value == 4.0


@pytest.mark.parametrize("controller", controlled())
def test_student_code_holds_no_door_of_a_group_and_sees_no_path(box: WarmSandbox, controller: str) -> None:
    seen = """
import os
def f(x):
    doors = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            doors.append(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:
            pass
    return [open("/proc/self/cgroup").read(), *doors]
"""
    paths, *doors = call(box, seen).value
    assert not [door for door in doors if "cgroup" in door]
    if box.kind == "isolated":
        assert "grader" not in paths


@pytest.mark.parametrize("controller", controlled())
def test_a_box_that_could_not_be_moved_is_our_fault(
    box: WarmSandbox, controller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def full(_: Group) -> Iterator[list[int]]:
        with Path("/dev/full").open("wb") as file:
            yield [file.fileno()]

    monkeypatch.setattr(Group, "doors", full)
    with pytest.raises(GraderFault, match=r"not moved into its control group.*No space"):
        call(box, "def f(x):\n    return x")


class Listener:
    def started(self, submission: Submission) -> None:
        pass

    def finished(self, graded: Graded) -> None:
        raise KeyboardInterrupt


@pytest.mark.parametrize("controller", controlled())
def test_a_group_that_fails_in_a_batch_is_tried_again_and_costs_no_points(
    box: WarmSandbox, controller: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = tuple(Home(home.directory / "absent", home.version, home.controllers) for home in OFFERED)
    broken, tries = Groups(homes), []
    make = broken.make
    monkeypatch.setattr(broken, "make", lambda memory_mb: tries.append(memory_mb) or make(memory_mb))
    monkeypatch.setattr(box, "groups", broken)
    monkeypatch.setattr(Listener, "finished", lambda *_: None)
    (score,) = grade_one(tmp_path, box)
    assert score.status is Status.NOT_GRADED
    assert "no control group could be made" in score.message
    assert len(tries) == TRIES


def grade_one(root: Path, box: WarmSandbox) -> list[Score]:
    folder = write_course(root, anna=RIGHT)
    with Store() as store:
        return grade_all(find_submissions(folder), load_course("tiny", root), box, store, 1, Listener())


@pytest.mark.parametrize("controller", controlled())
def test_no_group_is_left_after_a_fault_an_interrupt_and_the_end(controller: str, tmp_path: Path) -> None:
    before = ours()
    with start_best(("numpy",))[0] or contextlib.nullcontext() as box:
        with pytest.raises(KeyboardInterrupt):
            grade_one(tmp_path, box)
        with started(box) as one, started(box):
            assert len(ours() - before) >= 2 * len(box.groups.homes)
            leave_a_process(one)
            box.warm("numpy").process.kill()
            wait_for(lambda: one.poll() is not None)
        assert call(box, "def f(x):\n    return 2 * x").value == 4.0
        with run_directory(tmp_path) as folder:
            process = box.launch(Program("probe", folder, modules=()))
            box.close()
            process.kill()
    assert ours() == before


UNIFIED = Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")
DANCE = """
import os, sys
from pathlib import Path
from grader.observe import control_groups

own, controller = Path(sys.argv[1]), sys.argv[2]
control_groups.CONTROLLERS = (controller,)
control_groups.limits = lambda *_: {}
(own / "cgroup.procs").write_text("0")
groups = control_groups.Groups.open()
assert [home.directory for home in groups.homes] == [own], groups
group = groups.make(100)
child = os.fork()
if child == 0:
    import time
    time.sleep(60)
    os._exit(0)
with group.doors() as (door,):
    os.write(door, str(child).encode())
assert (group.directories[0] / "cgroup.procs").read_text().split() == [str(child)]
group.end()
assert os.waitpid(child, 0)[1] == 9
groups.close()
assert [path for path in own.iterdir() if path.is_dir()] == []
assert (own / "cgroup.procs").read_text().split() == [str(os.getpid())]
"""


def free_controllers() -> list[object]:
    """The root of version 2 with a controller that nobody uses, if we may try it for real."""
    for root in UNIFIED:
        controllers, passed_on = root / "cgroup.controllers", root / "cgroup.subtree_control"
        if controllers.exists() and os.access(passed_on, os.W_OK):
            free = (
                set(controllers.read_text().split()) - set(passed_on.read_text().split()) - {"cpuset", "cpu"}
            )
            return [pytest.param(root, name, id=name) for name in sorted(free)[:1]]
    reason = "no free controller of version 2 here; its rules are tested on a file tree"
    return [pytest.param(None, "", marks=pytest.mark.skip(reason=reason))]


@pytest.mark.parametrize(("root", "controller"), free_controllers())
def test_the_kernel_agrees_with_how_a_group_of_version_2_is_entered_used_and_left(
    root: Path, controller: str
) -> None:
    own = root / f"grader-test-{os.getpid()}"
    own.mkdir()
    try:
        (root / "cgroup.subtree_control").write_text(f"+{controller}")
        command = [sys.executable, "-c", DANCE, str(own), controller]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    finally:
        own.rmdir()
        (root / "cgroup.subtree_control").write_text(f"-{controller}")
