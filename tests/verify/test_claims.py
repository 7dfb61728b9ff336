"""Claims: each holds for a good course, and fails, with what contradicts it, for a course that breaks it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import RUBRIC, notebook, score
from support_verify import MISTAKES, REWRITINGS, make_course

from grader.cli.main import main
from grader.verify.claims import Result
from grader.verify.verification import list_claims, make_evidence


def check(rubric: Path, *ids: str, seeds: int = 2) -> dict[str, Result]:
    root = rubric.parent.parent
    evidence = make_evidence(rubric, root, seeds, 0)
    return {c.id: c.check(evidence) for c in list_claims(rubric, root) if not ids or c.id in ids}


def test_every_claim_holds_for_a_good_course(tmp_path: Path) -> None:
    results = check(make_course(tmp_path))
    assert {name: result.problems for name, result in results.items() if not result.holds} == {}
    assert {"mistake/tripled", "rewriting/double/added", "mutants/double"} < set(results)
    assert results["reference"].figures == "2 seeds"


def test_a_reference_that_fails_its_own_rubric_is_found(tmp_path: Path) -> None:
    rubric = make_course(tmp_path)
    source = "def double(x):\n    ### BEGIN SOLUTION\n    x *= 2.0\n    return x\n    ### END SOLUTION"
    (tmp_path / "reference/tiny/notebook.ipynb").write_text(notebook(source))
    (tmp_path / "reference/tiny/misconceptions.py").unlink()
    (tmp_path / "reference/tiny/rewritings.py").unlink()
    results = check(rubric, "reference", "points")
    assert "kept of double earns 0 of 1" in results["reference"].problems[0]
    assert results["points"].problems == ("double: only 2 of 3",)


def test_a_skeleton_that_earns_points_is_found(tmp_path: Path) -> None:
    rubric = make_course(tmp_path)
    result = check(rubric, "skeleton")["skeleton"]
    assert result.figures == "0 of 3 points"
    evidence = make_evidence(rubric, tmp_path, 1, 0)
    evidence.skeleton = score("skeleton", 2.0)
    (claim,) = [claim for claim in list_claims(rubric, tmp_path) if claim.id == "skeleton"]
    assert claim.check(evidence).problems == ("double earns 2",)


def test_a_mistake_that_loses_nothing_is_found(tmp_path: Path) -> None:
    harmless = MISTAKES.replace('"3.0 * x"', '"(1.0 + 1.0) * x"')
    result = check(make_course(tmp_path, **{"misconceptions.py": harmless}), "mistake/tripled")
    assert "it loses no points" in result["mistake/tripled"].problems[0]


def test_two_mistakes_with_the_same_results_are_found_unless_they_are_declared(tmp_path: Path) -> None:
    twin = MISTAKES.replace('"x ** 2"', '"x + x + x"')
    rubric = make_course(tmp_path, **{"misconceptions.py": twin})
    results = check(rubric, "separation", "mistake/tripled")
    assert "squared and tripled differ by" in results["separation"].problems[0]
    assert "it is taken for" in results["mistake/tripled"].problems[0]


def test_declared_twins_are_no_problem(tmp_path: Path) -> None:
    twin = MISTAKES.replace('"x ** 2"}', '"x + x + x"}, same_as=("tripled",)')
    results = check(make_course(tmp_path, **{"misconceptions.py": twin}), "separation")
    assert results["separation"].holds


def test_a_rewriting_that_loses_points_is_found(tmp_path: Path) -> None:
    unfair = REWRITINGS.replace("x + x)", "2.001 * x)")
    result = check(make_course(tmp_path, **{"rewritings.py": unfair}), "rewriting/double/added")
    assert "it loses points in double/values" in result["rewriting/double/added"].problems[0]


def test_a_mutant_that_survives_must_be_argued(tmp_path: Path) -> None:
    rubric = make_course(tmp_path)
    rubric.write_text(RUBRIC.replace("inputs: numbers}", "inputs: numbers, rtol: 10.0}"))
    results = check(rubric, "mutants/double", "survivors")
    assert not results["mutants/double"].holds
    (name,) = [p for p in results["mutants/double"].problems if "4.0 * x" in p]
    argued = name.removeprefix("survives unargued: ")
    folder = tmp_path / "reference" / "tiny"
    entry = {"mutant": argued, "equivalent": False, "reason": "A generous tolerance."}
    (folder / "survivors.yaml").write_text(json.dumps([entry]))
    results = check(rubric, "mutants/double", "survivors")
    assert name not in results["mutants/double"].problems
    assert "mutants that compute something else survive" in results["survivors"].problems[-1]


def test_an_argument_about_a_mutant_that_is_caught_is_out_of_date(tmp_path: Path) -> None:
    rubric = make_course(tmp_path)
    (tmp_path / "reference/tiny/survivors.yaml").write_text(
        json.dumps([{"mutant": "double: a -> b", "equivalent": True, "reason": "none"}])
    )
    assert check(rubric, "survivors")["survivors"].problems == (
        "argued, but caught or no more made: double: a -> b",
    )


def test_inputs_from_another_source_of_chance_are_found(tmp_path: Path) -> None:
    rubric = make_course(tmp_path)
    inputs = tmp_path / "reference/tiny/inputs.py"
    inputs.write_text(
        inputs.read_text().replace("rng.standard_normal(3)", "np.random.default_rng().random(3)")
    )
    assert "another source of chance" in check(rubric, "inputs")["inputs"].problems[0]


def test_results_that_have_drifted_are_found(tmp_path: Path) -> None:
    rubric = make_course(tmp_path)
    stored = tmp_path / "reference/tiny/goldens.json"
    numbers = json.loads(stored.read_text())
    key = next(iter(numbers))
    numbers[key][1] *= 1.001
    stored.write_text(json.dumps(numbers))
    (problem,) = check(rubric, "goldens")["goldens"].problems
    assert problem.startswith(f"{key} differs by up to")
    stored.unlink()
    assert "grader verify --renew" in check(rubric, "goldens")["goldens"].problems[0]


def test_the_command_says_what_holds_and_ends_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_course(tmp_path)
    main(["verify", "tiny", "--root", str(tmp_path), "--seeds", "1", "--jobs", "1"])
    shown = capsys.readouterr().out
    assert "claims hold" in shown
    assert "✓ Known mistakes lose points and are named  2 of 2" in shown


def test_the_command_prints_json_and_ends_with_1_if_a_claim_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_course(tmp_path, **{"rewritings.py": REWRITINGS.replace("x + x)", "3 * x)")})
    with pytest.raises(SystemExit) as ended:
        main(["verify", "tiny", "--root", str(tmp_path), "--seeds", "1", "--only", "rewriting", "--json"])
    assert ended.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert found["holds"] is False
    broken = [claim["id"] for claim in found["claims"] if not claim["holds"]]
    assert broken == ["rewriting/double/added"]


def test_an_unknown_assignment_and_a_claim_that_does_not_exist_are_usage_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_course(tmp_path)
    for arguments, said in (
        (["tin"], "the assignments here are: tiny"),
        (["tiny", "--only", "x/y"], "no claim"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["verify", *arguments, "--root", str(tmp_path)])
        assert ended.value.code == 2
        assert said in capsys.readouterr().err


def test_the_nearest_mistakes_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_course(tmp_path)
    main(["verify", "tiny", "--root", str(tmp_path), "--separation"])
    assert "tripled  (right)" in capsys.readouterr().out


def test_renewed_goldens_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rubric = make_course(tmp_path)
    (tmp_path / "reference/tiny/goldens.json").write_text("{}")
    assert not check(rubric, "goldens")["goldens"].holds
    main(["verify", "tiny", "--root", str(tmp_path), "--renew"])
    assert "goldens.json" in capsys.readouterr().out
    assert check(rubric, "goldens")["goldens"].holds
