"""`grader doctor`: every layer is seen to hold behind walls, and seen to be lost without them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli.main import cli
from grader.errors import SandboxError, TierError
from grader.observe import examine as doctor
from grader.observe import tiers
from grader.observe.attack_walls import bait, probe_sandbox
from grader.observe.interpreter import Interpreter
from grader.observe.layers import (
    ALWAYS,
    APART,
    LANDLOCK,
    LAYERS,
    NAMESPACES,
    OPTIONAL,
    Found,
    Layer,
    reached_tier,
    reaches,
)
from grader.observe.sandbox import PlainSandbox
from grader.observe.tiers import Survey, choose_sandbox, start_best
from grader.observe.warm import WarmSandbox

QUICK = tuple(layer for layer in LAYERS if not layer.thorough)
FOR_ANY_USER = {"user", "mount", "pid", "net", "uts", "root", "tmpfs", "landlock", "seccomp"}


@pytest.fixture(scope="module")
def best() -> Iterator[tuple[WarmSandbox, Survey]]:
    """The strongest box of this machine, every layer tried."""
    sandbox, survey = start_best(thorough=True)
    if sandbox is None:
        pytest.skip(f"no walls can be built here: {survey.failures}; the layers without walls are tested")
    yield sandbox, survey
    sandbox.close()


def test_every_layer_that_the_best_box_needs_holds(best: tuple[WarmSandbox, Survey]) -> None:
    _, survey = best
    lost = {found.layer.key: found.detail for found in survey.layers if not found.holds}
    beyond = {layer.key for layer in OPTIONAL}
    beyond |= {layer.key for layer in NAMESPACES} if survey.tier == "restricted" else set()
    assert set(lost) <= beyond, lost
    assert [found.layer for found in survey.layers] == list(LAYERS)


def test_without_walls_the_same_attempts_obtain_something() -> None:
    with bait() as known, PlainSandbox() as sandbox:
        found = probe_sandbox(sandbox, known, QUICK)
    lost = {each.layer.key for each in found if not each.holds}
    assert lost >= FOR_ANY_USER
    assert reached_tier({each.layer.key: each.holds for each in found}) == "plain"


def test_a_box_without_landlock_and_seccomp_is_found_out(best: tuple[WarmSandbox, Survey]) -> None:
    bare = [Layer(key, key, "", bare=True) for key in ("landlock", "seccomp")]
    with bait() as known:
        found = probe_sandbox(best[0], known, bare)
    assert [each.holds for each in found] == [False, False]
    assert "listed /" in found[0].detail


@pytest.mark.parametrize("key", [layer.key for layer in LAYERS if not layer.optional])
def test_the_absence_of_any_layer_lowers_the_tier(key: str) -> None:
    holds = {layer.key: layer.key != key for layer in LAYERS}
    assert reached_tier({layer.key: True for layer in LAYERS}) == "isolated"
    assert reached_tier(holds) == ("plain" if key in {layer.key for layer in ALWAYS} else "restricted")


def test_the_absence_of_an_optional_layer_lowers_no_tier_and_has_a_mark_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = tuple(Found(layer, not layer.optional, "held 111 MB: get it by `this`") for layer in LAYERS)
    assert reached_tier({each.layer.key: each.holds for each in found}) == "isolated"
    survey = Survey("isolated", "isolated", layers=found)
    monkeypatch.setattr(doctor, "start_best", lambda **_: (None, survey))
    said = CliRunner().invoke(cli, ["doctor"]).output
    (line,) = (line for line in said.splitlines() if "control group" in line)
    assert line.startswith("-")
    assert "get it by `this`" in line
    assert "✗" not in said
    assert tiers.shortcomings(survey) == []


def test_a_wall_around_all_boxes_does_not_replace_what_keeps_them_apart() -> None:
    holds = {layer.key: layer != LANDLOCK for layer in LAYERS}
    assert [reached_tier(holds, apart=apart) for apart in (True, False)] == ["restricted", "plain"]


@pytest.mark.parametrize("key", APART)
def test_without_landlock_and_one_that_replaces_it_there_are_no_walls(key: str) -> None:
    holds = {layer.key: layer.key not in (key, LANDLOCK.key) for layer in LAYERS}
    assert reached_tier(holds) == "plain"


def test_tiers_are_ordered() -> None:
    assert reaches("isolated", "restricted")
    assert reaches("plain", "plain")
    assert not reaches("plain", "restricted")
    assert not reaches("restricted", "isolated")


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a test finds out about walls that it has replaced is not kept for the next one."""
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path))


@pytest.fixture
def on_a_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")


@pytest.mark.usefixtures("on_a_mac")
def test_where_there_are_no_walls_the_doctor_says_so_and_grading_is_refused() -> None:
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 1
    assert "Tier: plain" in result.output
    assert "docker run" in result.output
    assert result.output.count("✗") == len(LAYERS) - len(OPTIONAL)
    with pytest.raises(
        TierError, match=r"'plain', and 'restricted' .* no walls for darwin.* `grader doctor`"
    ):
        choose_sandbox(())
    assert choose_sandbox((), unsafe=True).name == "plain"


@pytest.mark.usefixtures("on_a_mac")
def test_json_names_every_layer_the_tier_and_the_command_that_raises_it() -> None:
    found = json.loads(CliRunner().invoke(cli, ["doctor", "--json", "--minimum", "plain"]).stdout)
    assert [each["layer"] for each in found["layers"]] == [layer.key for layer in LAYERS]
    assert not any(each["holds"] for each in found["layers"])
    assert (found["tier"], found["sufficient"]) == ("plain", True)
    assert found["raise"]["command"].startswith("docker run")


def failing(kind: str) -> Callable[..., object]:
    def start(sandbox: WarmSandbox, *_: object) -> object:
        if sandbox.kind == kind:
            raise SandboxError(f"no {kind} box")
        return tuple(tiers.Found(layer, layer not in NAMESPACES, "lost") for layer in QUICK)

    return start


def test_a_kind_that_does_not_start_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers, "probe_sandbox", failing("isolated"))
    monkeypatch.setattr(tiers, "_require_open_python", lambda kind, python: None)
    with choose_sandbox(()) as sandbox:
        assert sandbox.name == "restricted"
    with pytest.raises(TierError, match="no isolated box; user namespace: lost"):
        choose_sandbox((), "isolated")


def test_a_layer_that_is_lost_lowers_the_name_of_the_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers, "probe_sandbox", failing("restricted"))
    sandbox, survey = start_best()
    assert sandbox is not None
    with sandbox:
        assert (sandbox.kind, sandbox.name, survey.tier) == ("isolated", "restricted", "restricted")


MACHINES = {
    "namespaces switched off by AppArmor": (
        {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"},
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    "no namespaces for users": (
        {"/proc/sys/user/max_user_namespaces": "0\n"},
        "sudo sysctl -w user.max_user_namespaces=15000",
    ),
    "a container": ({"/.dockerenv": " "}, "docker run --rm --privileged"),
    "no Landlock": ({"/sys/kernel/security/lsm": "yama"}, "lsm=landlock,yama"),
    "anything else": ({"/sys/kernel/security/lsm": "landlock"}, "sudo "),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_command_that_helps_depends_on_what_is_in_the_way(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, command = MACHINES[machine]
    monkeypatch.setattr("os.getuid", lambda: 1000)
    better = doctor.remedy(Survey("restricted"), lambda path: files.get(path, ""))
    assert better is not None
    assert command in better.command


def test_an_interpreter_that_no_box_could_read_is_named_with_the_command_that_opens_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    tmp_path.chmod(0o700)
    monkeypatch.setattr("os.getuid", lambda: 0)
    found = Interpreter("python", (3, 12), (str(tmp_path / "bin"),), "")
    monkeypatch.setattr(tiers, "find_interpreter", lambda python: found)
    monkeypatch.setattr(tiers, "KINDS", (("restricted", "none"),))
    monkeypatch.setattr(tiers, "probe_sandbox", pytest.fail)
    sandbox, survey = start_best()
    assert sandbox is None
    better = doctor.remedy(survey)
    assert better is not None
    assert better.command in {f"chmod o+x {folder}" for folder in (tmp_path, *tmp_path.parents)}


def test_nothing_raises_the_highest_tier() -> None:
    assert doctor.remedy(Survey("isolated")) is None
