"""Courses with scores and answers in a database, as `grader grade` leaves them, for tests of what people do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import escape
from pathlib import Path

from support import not_graded, rubric, score

from grader.batch.given_answers import _digest
from grader.decision import DecisionKind
from grader.errors import ConflictError
from grader.given_answer import GivenAnswer
from grader.manual.decisions import Decisions, Wish
from grader.records import Code, QuestionScore, Score, Verdict, VerdictKind
from grader.similar.pairs import Pair, Work, pairs
from grader.store import Store

TEXTS = {
    "anna": "The rank of the product is at most $k$, so something is lost.",
    "bert": "the rank of the product is at most $k$ so something is lost",
    "carl": "I do not know.",
    "dora": "The rank of the product is at most $k$, so always something of the data is lost.",
    "=emil": "",
}
SCRIPT = "<script>parent.document.title = 'taken'</script>"


def answers(name: str, text: str) -> list[GivenAnswer]:
    """Return what is read of a submission: an essay, and the code of `double`."""
    html = f'<div class="cell text"><p>{escape(text)}</p></div>' if text else ""
    code = f'<div class="cell code"><div class="number">Code cell 1</div><pre>def double(x): # {name}</pre></div>'
    alike = _digest(" ".join(text.casefold().replace(",", "").replace(".", "").split()))
    return [
        GivenAnswer("", text, html, "", _digest(html)),
        GivenAnswer("essay", text, html, alike, _digest(html)),
        GivenAnswer("double", "", code, "same", _digest(code)),
    ]


def inconclusive(name: str) -> Score:
    """Return a score whose first question no check could decide."""
    made = score(name)
    first = made.questions[0]
    verdict = Verdict(VerdictKind.INCONCLUSIVE, 0.0, "too noisy", Code.INCONCLUSIVE)
    checks = (replace(first.checks[0], points=0.0, verdict=verdict), *first.checks[1:])
    return replace(made, questions=(replace(first, points=None, checks=checks), made.questions[1]))


def fill(store: Store, texts: dict[str, str] = TEXTS) -> Store:
    """Put a small course into a database: everybody's essay waits; bert's function too; frieda not graded."""
    scores = [inconclusive(name) if name == "bert" else score(name, directory=name) for name in texts]
    store.put_scores(
        "tiny", [*scores, not_graded("frieda")], "course", {name: f"/in/{name}.ipynb" for name in texts}
    )
    for name, text in texts.items():
        store.put_answers("tiny", name, answers(name, text))
    store.put_rubric("tiny", rubric().model_dump_json(by_alias=True))
    return store


def essay(number: int, waiting: int) -> QuestionScore:
    """Return a question that waits if its number is below `waiting`."""
    if number < waiting:
        return QuestionScore(f"q{number}", f"Question {number}", None, 4.0, ())
    check = replace(
        score().questions[0].checks[0], verdict=Verdict(VerdictKind.FAILED, 0.5, "half", Code.VALUES)
    )
    return QuestionScore(f"q{number}", f"Question {number}", 1.0, 4.0, (check,))


def large(store: Store, students: int, questions: int, waiting: int, decided: float = 0.5) -> None:
    """Put a course of many students into a database; a part of what waits is decided."""
    names = [f"student {number:04}" for number in range(students)]
    made = [
        replace(score(name), questions=tuple(essay(n, waiting) for n in range(questions))) for name in names
    ]
    store.put_scores("large", made, "course", dict.fromkeys(names, "/in/x.ipynb"))
    for place, name in enumerate(names):
        html = f"<p>An answer of some length by {place % 40}: {'words ' * 60}</p>"
        own = [
            GivenAnswer(f"q{n}", f"answer {place} {n}" + "word " * 60, html, f"{place % 300}", f"{place}")
            for n in range(questions)
        ]
        store.put_answers("large", name, own)
    wishes = [
        Wish(name, f"q{n}", float(n % 5), "seen", kind=DecisionKind.POINTS)
        for n in range(waiting)
        for name in names[: int(students * decided)]
    ]
    Decisions(store, "large").decide(wishes, "ta")


def alike() -> list[Pair]:
    """Return a pair of functions, and one of answers, as the comparison finds them."""
    code = "def double(x):\n    # <mine> & yours\n    total = [0.0] * len(x)\n    for place, value in enumerate(x):\n        total[place] = 2.0 * value\n    return total\n"
    words = "The bound is reached when the rank is at most k. Then all that is left out vanishes & nothing is lost at all."

    def works(first: str, second: str, origin: str = "") -> list[Work]:
        return [
            Work("anna", "anna", first, frozenset({"anna"})),
            Work("carl", "carl", second, frozenset({f"{origin} carl"}), origin),
        ]

    other = code.replace("total", "result").replace("# <mine> & yours", "# no words of mine")
    return [
        *pairs("double", "Doubling", "code", works(code, other), "def double(x):\n    pass\n", 0.8),
        *pairs("essay", "Essay", "answer", works(words, words.upper(), "last year"), "", 0.8),
    ]


def many_at_once(where: Path | str, people: int, each: int) -> None:
    """Let people save the same answer at once, each some times; fail if anything is lost."""

    def work(person: int) -> int:
        kept, version = 0, 0
        with Store(where) as own:
            history = Decisions(own, "tiny")
            while kept < each:
                try:
                    wish = Wish("anna", "essay", None, f"{person}: {kept}", version=version)
                    version = history.decide([wish], f"person {person}")[0].version
                    kept += 1
                except ConflictError as error:
                    standing = error.standing or history.standing("anna", "essay")
                    version = standing.version if standing else 0
        return kept

    with ThreadPoolExecutor(people) as pool:
        assert sum(pool.map(work, range(people))) == people * each
    with Store(where) as store:
        entries = Decisions(store, "tiny").history("anna", "essay", limit=people * each + 1)
    assert sorted(entry.version for entry in entries) == list(range(1, people * each + 1))
    assert len({entry.comment for entry in entries}) == people * each
