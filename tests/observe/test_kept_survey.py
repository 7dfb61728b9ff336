"""What was found about the walls is kept until something changes that the answer depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import SandboxError
from grader.inside.walls import OWN
from grader.observe import kept_survey, tiers
from grader.observe.kept_survey import keep_survey, read_survey
from grader.observe.layers import ISOLATED, RESTRICTED, Found

KIND = (ISOLATED, OWN)
PYTHON = tiers.sys.executable


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path))
    return tmp_path / "walls"


def test_what_is_kept_comes_back() -> None:
    assert read_survey(PYTHON) is None
    keep_survey(PYTHON, KIND, RESTRICTED)
    assert read_survey(PYTHON) == (KIND, RESTRICTED)
    kept_survey.forget_survey()
    assert read_survey(PYTHON) is None


@pytest.mark.parametrize("change", ["code", "release", "bubblewrap", "namespace", "file"])
def test_a_change_of_what_it_depends_on_forgets_it(
    change: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text("other")
    keep_survey(PYTHON, KIND, ISOLATED)
    if change == "code":
        monkeypatch.setattr(kept_survey, "code_digest", lambda _: "other")
    elif change == "release":
        monkeypatch.setattr(kept_survey.platform, "release", lambda: "other")
    elif change == "bubblewrap":
        monkeypatch.setattr(kept_survey.bubblewrap, "found", lambda: "/other/bwrap")
    elif change == "namespace":
        monkeypatch.setattr(kept_survey.os, "readlink", lambda _: "other")
    else:
        monkeypatch.setattr(kept_survey, "DEPENDS_ON", (str(other),))
    assert read_survey(PYTHON) is None


@pytest.mark.parametrize(
    "damage", ["", "[]", "{", '["isolated", "own", "best"]', '["best", "own", "isolated"]']
)
def test_what_is_damaged_is_found_out_again(folder: Path, damage: str) -> None:
    keep_survey(PYTHON, KIND, ISOLATED)
    (kept,) = folder.iterdir()
    kept.write_text(damage)
    assert read_survey(PYTHON) is None


def test_a_folder_that_others_can_write_to_is_not_believed(folder: Path) -> None:
    keep_survey(PYTHON, KIND, ISOLATED)
    folder.chmod(0o777)
    assert read_survey(PYTHON) is None


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of boxes whose layers are tried; all of them hold."""
    kinds: list[str] = []

    def probe(sandbox: tiers.WarmSandbox, *_: object) -> tuple[Found, ...]:
        kinds.append(sandbox.kind)
        return tuple(Found(layer, True) for layer in tiers.LAYERS)

    monkeypatch.setattr(tiers, "probe_sandbox", probe)
    return kinds


def test_layers_are_tried_once_and_again_when_the_kept_kind_no_longer_starts(
    tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not tiers.offered_kinds():
        pytest.skip("there are no walls for this system")
    first = tiers.choose_sandbox((), unsafe=True)
    first.close() if isinstance(first, tiers.WarmSandbox) else None
    count = len(tried)
    with tiers.choose_sandbox((), unsafe=True) as again:
        assert again.name == first.name
    assert len(tried) == count, "what is kept is used"
    real = tiers.WarmSandbox.warm
    failed: list[str] = []

    def warm(self: tiers.WarmSandbox, which: str = "full") -> object:
        if which == "full" and len(failed) < 2:  # a thread starts it, too
            failed.append(which)
            raise SandboxError("it no longer starts")
        return real(self, which)

    monkeypatch.setattr(tiers.WarmSandbox, "warm", warm)
    with tiers.choose_sandbox((), unsafe=True) as found:
        assert found.name == first.name
    assert len(tried) > count
