"""Functions and answers that are alike, two beside each other: a question to a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from starlette.responses import Response

from grader.errors import UsageError
from grader.manual.similar_pairs import ListedPair, Looked
from grader.web.visit import NotThere, Visit


def similar(visit: Visit) -> Response:
    """List the pairs, those of the same two students together: who shares most comes first."""
    found = visit.results.similar.all()
    together: dict[tuple[str, str, str], list[ListedPair]] = {}
    for each in found:
        together.setdefault((each.first, each.second, each.origin), []).append(each)
    return visit.page(
        "similar.html",
        here="similar",
        pairs=found,
        earlier=[Path(path).name for path in visit.results.similar.earlier()],
        together=sorted(together.items(), key=lambda item: -sum(each.share for each in item[1])),
        left=sum(each.looked is Looked.NOT_YET for each in found),
    )


def compare(visit: Visit) -> Response:
    """Look for pairs again, with the same other years, in a process of its own."""
    earlier = [word for path in visit.results.similar.earlier() for word in ("--with", path)]
    if not visit.results.jobs.start("similar", earlier, "Comparing everybody's functions and answers", 0):
        raise UsageError("something else is going on already; wait for its end")
    visit.log("compared")
    return visit.to("similar")


def pair(visit: Visit) -> Response:
    """Show a pair side by side."""
    key, listed = visit.path("pair"), visit.results.similar.all()
    place = next((number for number, each in enumerate(listed) if each.key == key), None)
    found = visit.results.similar.pair(key)
    if place is None or found is None:
        raise NotThere("There is no such pair: the hand-ins were compared again meanwhile.")
    around = [listed[number].key if 0 <= number < len(listed) else "" for number in (place - 1, place + 1)]
    known = set(visit.results.worklist.submissions())
    return visit.page(
        "pair.html",
        here="similar",
        pair=found,
        listed=listed[place],
        place=place + 1,
        number=len(listed),
        before=around[0],
        after=around[1],
        sides=[
            (work, list(pieces(work.text, marks)), not work.origin and work.submission in known)
            for work, marks in ((found.first, found.first_marks), (found.second, found.second_marks))
        ],
    )


def look(visit: Visit) -> Response:
    """Say what becomes of a pair, and go on to the next one that nobody has looked at."""
    key, similar_pairs = visit.path("pair"), visit.results.similar
    keys = [each.key for each in similar_pairs.all()]
    if key not in keys:
        raise NotThere("There is no such pair: the hand-ins were compared again meanwhile.")
    similar_pairs.look(key, visit.field("looked"), visit.person)
    listed = similar_pairs.all()
    place = keys.index(key)
    following = [*listed[place + 1 :], *listed[:place]]
    after = next((each.key for each in following if each.looked is Looked.NOT_YET), "")
    if visit.field("looked") == Looked.NOT_YET.value:
        after = key
    return visit.to("similar", after) if after else visit.to("similar")


def pieces(text: str, marks: Sequence[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a text in order, and whether the other one has them too."""
    at = 0
    for start, end in marks:
        yield text[at:start], False
        yield text[start:end], True
        at = end
    yield text[at:], False
