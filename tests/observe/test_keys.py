"""Keys: whatever can change what is observed changes the key under which it is kept."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from support import RIGHT, notebook, write_course

from grader.observe import code_digest, keys
from grader.observe.keys import CallsKey, FactsKey, Key, RunKey, WrittenKey
from grader.observe.observe_submission import observe
from grader.observe.sandbox import PlainSandbox
from grader.plan.load import load_course
from grader.records import HandIn, NotebookLimits
from grader.store import Store
from grader.written import WrittenTask

LIMITS = NotebookLimits()
KEYS = (
    FactsKey(b"{}", {"a.py": b"1"}, ("x = 1",), ("f",), "reader"),
    WrittenKey(b"{}", b"{}", WrittenTask("a", "derivation", "cell", "{}"), "reader"),
    RunKey(b"{}", {"a.py": b"1"}, ("variable x",), LIMITS, {"a": b"1"}, "plain", "", "packages", "observer"),
    CallsKey("code", {"a.py": b"1"}, "limits", ("numpy",), {"a": b"1"}, "plain", "", "packages", "observer"),
)
OTHERS: dict[str, Any] = {
    "notebook": b"[]",
    "skeleton": ("x = 2",),
    "subjects": ("g",),
    "looked_at": (),
    "limits": "other",
    "files": {"a": b"2"},
    "modules": {"a.py": b"2"},
    "preload": (),
}
FIELDS = [(key, field.name) for key in KEYS for field in dataclasses.fields(key)]


@pytest.mark.parametrize(("key", "field"), FIELDS, ids=[f"{type(k).__name__}-{f}" for k, f in FIELDS])
def test_a_key_depends_on_each_of_its_inputs(key: Key, field: str) -> None:
    new = OTHERS.get(field, "other")
    if field == "limits" and isinstance(key, RunKey):
        for limit in dataclasses.fields(LIMITS):
            other = dataclasses.replace(key, limits=dataclasses.replace(LIMITS, **{limit.name: 1}))
            assert str(other) != str(key)
        return
    if isinstance(key, WrittenKey) and field == "task":
        new = dataclasses.replace(key.task, content="[]")
    assert str(dataclasses.replace(key, **{field: new})) != str(key)
    if field == "files":
        assert str(dataclasses.replace(key, files={"b": b"1"})) != str(key)  # type: ignore[call-arg]


def test_what_stands_in_one_field_cannot_stand_in_for_another() -> None:
    assert str(FactsKey(b"ab", {}, (), (), "c")) != str(FactsKey(b"a", {}, (), (), "bc"))
    assert len({str(key) for key in KEYS}) == len(KEYS)


CHANGES = {
    "the notebook": lambda root: None,
    "a data file": lambda root: edit(root / "reference/tiny/inputs.py", 'b"1 2 3"', 'b"1 2 4"'),
    "a limit": lambda root: edit(root / "rubrics/tiny.yaml", "questions:", "limits: {call_seconds: 9}\nquestions:"),
    "the preloaded modules": lambda root: edit(
        root / "rubrics/tiny.yaml", "questions:", "environment: {preload: [math]}\nquestions:"
    ),
    "the tier": lambda root: None,
    "the installed packages": lambda root: None,
    "our own code": lambda root: None,
}  # fmt: skip


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_observed_is_observed_again_where_something_has_changed(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_course(tmp_path)
    started: list[str] = []

    class Counting(PlainSandbox):
        def launch(self, program: Any) -> Any:
            started.append(program.module)
            return super().launch(program)

    def look(data: str) -> list[str]:
        started.clear()
        sandbox = Counting()
        if change == "the tier" and seen:
            sandbox.name = "isolated"
        observe(HandIn(data.encode()), load_course("tiny", tmp_path), sandbox, store)
        return list(started)

    seen: list[str] = []
    with Store(None) as store:
        data = notebook(RIGHT)
        seen += look(data)
        assert sorted(seen) == ["calls", "kernel"]
        if change != "the tier":
            assert look(data) == []
        CHANGES[change](tmp_path)
        if change == "the installed packages":
            real = keys.find_interpreter
            monkeypatch.setattr(
                keys, "find_interpreter", lambda p: dataclasses.replace(real(p), environment="other")
            )
        if change == "our own code":
            monkeypatch.setattr(keys, "code_digest", lambda parts: "other")
        again = look(notebook(RIGHT, "y = 1") if change == "the notebook" else data)
    expected = {"the notebook": ["kernel"], "the preloaded modules": ["calls"]}
    assert sorted(again) == expected.get(change, ["calls"] if change == "a limit" else ["calls", "kernel"])


def test_the_digest_of_our_code_covers_every_file_of_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("observe/a.py", "observe/deep/b.py", "records.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    monkeypatch.setattr(code_digest, "PACKAGE", tmp_path)
    digests = {code_digest.code_digest.__wrapped__(("observe", "records.py"))}
    for name in ("observe/a.py", "observe/deep/b.py", "records.py"):
        (tmp_path / name).write_text("x = 2\n")
        digests.add(code_digest.code_digest.__wrapped__(("observe", "records.py")))
    (tmp_path / "observe/c.py").write_text("")
    digests.add(code_digest.code_digest.__wrapped__(("observe", "records.py")))
    assert len(digests) == 5
