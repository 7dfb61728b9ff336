"""Similarity: what is copied is found whatever was renamed, and what the task makes likely is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.similar.normal_form import answer_lines, code_lines
from grader.similar.pairs import Pair, Work, pairs

UNUSUAL = '''
def fit(X, k):
    """Fit it."""
    rows, columns = X.shape
    best, patience = None, 0   # how often in a row
    for step in range(1000):
        left = np.linalg.lstsq(best_guess(X, step), X, rcond=None)[0]
        if np.abs(left).max() > 1e3 * step and patience > 7:
            return left[:, ::-1].T, "too large"
        patience = patience + 1 if left.sum() < 0.25 else 0
    return best
'''
RENAMED = """
def fit(data,
        number):
    n, d = data.shape
    winner, waited = None, 0
    for i in range(1000):

        solution = np.linalg.lstsq(best_guess(data, i), data, rcond=None)[0]   # solve
        if np.abs(solution).max() > 1e3 * i and waited > 7:
            return solution[:, ::-1].T, 'another text'
        waited = waited + 1 if solution.sum() < 0.25 else 0
    return winner
"""
OWN = """
def fit(X, k):
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    W1 = Vt[:k].T.copy()
    W2 = Vt[:k].copy()
    for epoch in range(20):
        gradient = 2 * X.T @ (X @ W1 @ W2 - X) / len(X)
        W2 -= 0.1 * W1.T @ gradient
        W1 -= 0.1 * gradient @ W2.T
    return W1, W2
"""
SKELETON = "def fit(X, k):\n    raise NotImplementedError\n"


def works(*texts: str, origin: str = "") -> list[Work]:
    return [Work(f"S{n}", f"s{n}", text, frozenset({f"{origin}{n}"}), origin) for n, text in enumerate(texts)]


def compared(
    found: list[Work], skeleton: str = SKELETON, least: float = 0.8, kind: str = "code"
) -> list[Pair]:
    return pairs("fit", "Fit", kind, found, skeleton, least)


def names(found: list[Pair]) -> list[tuple[str, str]]:
    return [(pair.first.submission, pair.second.submission) for pair in found]


def test_a_copy_with_other_names_comments_and_layout_is_found_and_own_work_is_not() -> None:
    (pair,) = compared(works(UNUSUAL, OWN, RENAMED))
    assert names([pair]) == [("s0", "s2")]
    assert pair.share > 0.9
    assert pair.lines >= 7
    marked = [UNUSUAL[start:end] for start, end in pair.first_marks]
    assert "for step in range(1000):" in marked
    assert RENAMED[slice(*pair.second_marks[0])] == "n, d = data.shape"
    assert not any("def fit" in text or "patience + 1" in text for text in marked[:2])


def test_what_was_handed_out_makes_nobody_alike() -> None:
    given = SKELETON + UNUSUAL
    assert compared(works(UNUSUAL, RENAMED, OWN), given) == []
    mixed = works(UNUSUAL + OWN, UNUSUAL + RENAMED.replace("0.25", "0.75").replace("lstsq", "solve"))
    assert names(compared(mixed, UNUSUAL)) == []


def test_what_many_have_says_nothing() -> None:
    assert compared(works(*[UNUSUAL] * 20)) == []
    others = [
        OWN.replace("0.1", str(n)).replace("epoch in range(20)", f"e in range({n + 30})") for n in range(40)
    ]
    found = compared(works(UNUSUAL, RENAMED, *others), least=0.9)
    assert names(found)[:1] == [("s0", "s1")]


def test_a_short_function_says_nothing() -> None:
    short = "def f(X, W1, W2):\n    return X @ W1 @ W2\n"
    assert compared(works(short, short, OWN)) == []


def test_hand_ins_of_one_student_or_team_are_not_compared() -> None:
    team = frozenset({"a", "b"})
    own = [Work("A", "s1", UNUSUAL, team), Work("B", "s2", RENAMED, frozenset({"b"})), *works(OWN)]
    assert compared(own) == []


def test_other_years_are_compared_with_this_one_and_not_among_themselves() -> None:
    old = works(UNUSUAL, RENAMED, origin="2025")
    assert compared([*works(OWN), *old]) == []
    found = compared([*works(UNUSUAL), *old])
    assert [(pair.first.origin, pair.second.origin) for pair in found] == [("", "2025"), ("", "2025")]


ANSWER = "The bound is reached when the rank of X is at most k. Then the singular values that are left out vanish, and so does the error."


def test_answers_are_compared_by_their_words() -> None:
    same = ANSWER.upper().replace(",", " ;").replace(". ", ".\n\n")
    other = "If every point lies in a subspace with k dimensions, the projection onto it changes nothing, so nothing can be lost at all."
    (pair,) = compared(works(ANSWER, other, same), "", kind="answer")
    assert (names([pair]), pair.share) == ([("s0", "s2")], 1.0)
    assert compared(works(ANSWER, same), ANSWER, kind="answer") == []


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("x = 1 # one\n\n\ny = 'two'\n", ["v = 1", "v = s"]),
        ("f(a,\n  b)\n", ["v ( v , v )"]),
        ("np.sum(x)\n", ["v .sum ( v )"]),
        ('"""text\nof many lines"""\nreturn x\n', ["return v"]),
        ("if x:\n\treturn len(x)\n", ["if v :", "return len ( v )"]),
    ],
)
def test_the_normal_form_of_code(code: str, lines: list[str]) -> None:
    found = code_lines(code)
    assert [line.form for line in found] == lines
    assert [line.form for each in found for line in code_lines(code[each.start : each.end])] == lines


@given(st.text(max_size=200))
def test_any_text_has_a_normal_form(text: str) -> None:
    for lines in (code_lines(text), answer_lines(text)):
        assert all(line.form.strip() for line in lines)
        ends = [(line.start, line.end) for line in lines]
        assert ends == sorted(ends)
        assert all(start < end <= len(text) for start, end in ends)


def test_a_hostile_text_takes_no_time_that_grows_with_its_square() -> None:
    for text in (
        '"""' + '\\"""' * 20_000,
        "'" * 100_000,
        "((((" * 50_000,
        "." * 100_000,
        '"' + "\\" * 100_000,
    ):
        code_lines(text)
        answer_lines(text)
