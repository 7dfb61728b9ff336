"""One answer after the other: what was handed in, what the judge found, and what a person decides."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import HTMLResponse, RedirectResponse, Response

from grader.counted import counted
from grader.decision import Decision
from grader.errors import ConflictError, UsageError
from grader.final import total
from grader.manual.decisions import Wish
from grader.manual.palette import Comment
from grader.manual.worklist import Item, own
from grader.records import QuestionScore, Score, Status
from grader.store import KeptScore
from grader.web.visit import NotThere, Visit, address, person_html

STEPS = 13  # buttons with points at most
NOTHING_READ = "no notebook that can be read was handed in"
NOT_READ = (Status.NO_NOTEBOOK.value, Status.UNREADABLE.value)


@dataclass(frozen=True)
class Queue:
    """The answers to one question in the order in which they are shown; `place` is that of this one."""

    items: list[Item]
    place: int

    @property
    def now(self) -> Item:
        """The one that is shown."""
        return self.items[self.place]

    def neighbour(self, step: int) -> Item | None:
        """Return the one before or after it."""
        place = self.place + step
        return self.items[place] if 0 <= place < len(self.items) else None

    def next_open(self, taken: Collection[str]) -> Item | None:
        """Return the next one that waits, from here on and then from the start; see first_open."""
        return first_open([*self.items[self.place + 1 :], *self.items[: self.place]], taken)


def first_open(items: Sequence[Item], taken: Collection[str]) -> Item | None:
    """Return the first answer that waits; those of the submissions `taken`, by others, come last."""
    waiting = [item for item in items if item.open]
    return next((item for item in waiting if item.submission not in taken), waiting[0] if waiting else None)


def question_items(visit: Visit, question: str, *, mine: bool = True, every: bool = False) -> list[Item]:
    """Return the answers to a question in the order of this person: without names, in one that says nothing.

    They are those of hand-ins that count and, where the question is shared out, of the person; `every` other
    one, too, if asked for. Raises NotThere.
    """
    results = visit.results
    items = results.worklist.items(question=question)
    if not items:
        raise NotThere(f"There is no question {question}.")
    if not every:
        items = [item for item in items if item.counts and item.status != Status.NOT_HANDED_IN.value]
    people = results.sharing.people().get(question, [])
    if mine and visit.person in people:
        items = own(items, people, visit.person)
    if question in results.sharing.anonymous():
        items = sorted(items, key=lambda item: results.code(item.submission, item.question))
    return items


def begin(visit: Visit) -> Response:
    """Lead to the first answer of a question that waits, or to the first one."""
    question = visit.path("question")
    items = question_items(visit, question)
    first = first_open(items, _taken(visit, question)) or (items[0] if items else None)
    if first is None:
        raise NotThere("There is no answer, or the question is shared out and nothing of it is yours.")
    return visit.to("grade", question, visit.results.code(first.submission, question))


def show(visit: Visit) -> Response:
    """Show one answer."""
    queue = _queue(visit)
    visit.results.presence.enter(visit.person, queue.now.question, queue.now.submission)
    return _page(visit, queue)


def _taken(visit: Visit, question: str) -> dict[str, str]:
    """Return who else is on which submission of a question."""
    return visit.results.presence.others(visit.person, question)


def _queue(visit: Visit) -> Queue:
    question, code = visit.path("question"), visit.path("code")
    for mine, every in ((True, False), (False, False), (False, True)):
        items = question_items(visit, question, mine=mine, every=every)
        codes = [visit.results.code(each.submission, question) for each in items]
        place = codes.index(code) if code in codes else None
        if place is not None:
            return Queue(items, place)
    raise NotThere("There is no such answer.")


def _page(
    visit: Visit,
    queue: Queue,
    status: int = 200,
    *,
    entered: dict[str, Any] | None = None,
    conflict: Decision | None = None,
    problem: str = "",
) -> Response:
    results, item = visit.results, queue.now
    kept = results.store.get_score(results.assignment, item.submission)
    if kept is None:
        raise NotThere("This submission has been dropped.")
    judged = _of_question(kept, item.question)
    standing = results.decisions.standing(item.submission, item.question)
    anonymous = item.question in results.sharing.anonymous()
    answer = results.worklist.answer(item.submission, item.question)
    comments = _comments(visit, item.question, standing)
    taken = _taken(visit, item.question)
    before, after, following = queue.neighbour(-1), queue.neighbour(1), queue.next_open(taken)
    own = results.worklist.items(submission=item.submission) if item.status in NOT_READ else []
    values = entered or {
        "points": "" if item.points is None else f"{item.points:g}",
        "comment": standing.comment if standing else "",
        "comments": set(standing.comments) if standing else set(),
        "reason": standing.reason if standing else "",
        "version": item.version,
    }
    return visit.page(
        "grade.html",
        status,
        here="grade",
        item=item,
        name=f"Answer {queue.place + 1}" if anonymous else item.who,
        anonymous=anonymous,
        code=results.code(item.submission, item.question),
        student_code="" if anonymous else results.code(item.submission),
        codes={
            "before": before and results.code(before.submission, item.question),
            "after": after and results.code(after.submission, item.question),
            "open": following and results.code(following.submission, item.question),
        },
        place=queue.place + 1,
        number=len(queue.items),
        left=sum(each.open for each in queue.items),
        score=kept.score,
        judged=judged,
        written=judged is not None and (judged.written or not judged.checks),
        answer=answer,
        whole=answer is None and results.worklist.answer(item.submission, "") is not None,
        has_run=results.store.run_of(results.assignment, item.submission) is not None,
        other=taken.get(item.submission, ""),
        by_people=any(each.person for each in queue.items),
        zeros=sum(each.open for each in own),
        undoes=my_last(visit, item.question) is not None,
        alike=sum(each.alike == item.alike for each in queue.items) if item.alike else 1,
        values=values,
        sheet=results.sheet(item.question),
        steps=steps(item),
        comments=comments,
        history=results.decisions.history(item.submission, item.question, limit=30),
        beside=[] if anonymous else list(results.beside(item.submission)),
        conflict=conflict,
        conflict_points=_points_of(visit, item, conflict),
        problem=problem,
    )


def _of_question(kept: KeptScore, question: str) -> QuestionScore | None:
    judged: Score = kept.judged or kept.score
    return next((each for each in judged.questions if each.id == question), None)


def _comments(visit: Visit, question: str, standing: Decision | None) -> list[Comment]:
    """Return the comments of a question, with those that were withdrawn and are given here."""
    given = set(standing.comments) if standing else set()
    found = visit.results.palette.comments(question, withdrawn=True)
    return [each for each in found if not each.withdrawn or each.number in given]


def _points_of(visit: Visit, item: Item, decision: Decision | None) -> float | None:
    """Return the points that a decision comes to."""
    if decision is None or decision.points is None:
        return None
    changes = {each.number: each.points for each in visit.results.palette.comments(withdrawn=True)}
    given = [changes.get(number, 0.0) for number in decision.comments]
    return total(decision.points, given, item.allowed)


def steps(item: Item) -> list[float]:
    """Return the points that have a button: whole ones, halves where they are few, the least, all."""
    least, most = item.allowed
    span = most - least
    step = next(size for size in (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0, span) if span / size <= STEPS)
    found = {number * step for number in range(int(least / step - 1e-9), int(most / step + 1e-9) + 1)}
    return sorted({least, most, min(item.max_points, most), *found})


def entered_points(text: str) -> float | None:
    """Return the points in a field, None if it is empty; raise UsageError."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no number of points") from error


def save(visit: Visit) -> Response:
    """Save what a person decided, and go on."""
    return _decided(visit, _queue(visit), visit.field("points"))


def keep(visit: Visit) -> Response:
    """Confirm the points that the judge gave or suggests, with the words that were typed, and go on."""
    queue, results = _queue(visit), visit.results
    item = queue.now
    points = item.judged
    kept = results.store.get_score(results.assignment, item.submission)
    if points is None and kept is not None:
        judged = _of_question(kept, item.question)
        points = judged.suggested if judged is not None else None
    if points is None:
        raise UsageError("the judge gave no points: give some")
    return _decided(visit, queue, str(points))


def _decided(visit: Visit, queue: Queue, given: str) -> Response:
    """Save the points and the form, and go on; where that cannot be, show the form again."""
    item, results = queue.now, visit.results
    version = next(iter(visit.numbers("version")), 0)
    entered: dict[str, Any] = {
        "points": given,
        "comment": visit.field("comment"),
        "comments": set(visit.numbers("comments")),
        "reason": visit.field("reason"),
        "version": version,
    }
    try:
        wish = Wish(
            item.submission,
            item.question,
            entered_points(given),
            visit.field("comment").replace("\r\n", "\n"),
            tuple(entered["comments"]),
            visit.field("reason").replace("\r\n", "\n"),
            version,
        )
        made = results.decisions.decide([wish], visit.person)
    except ConflictError as error:
        now = error.standing or results.decisions.standing(item.submission, item.question)
        return _page(visit, queue, 409, entered=entered, conflict=now)
    except UsageError as error:
        words = str(error).removeprefix(f"{item.submission}, {item.question}: ")
        return _page(visit, queue, 400, entered=entered, problem=words[:1].upper() + words[1:] + ".")
    name = "" if item.question in results.sharing.anonymous() else f" for {item.who}"
    if wish.points is not None:
        visit.tell(f"Saved{name}: {wish.points:g} point{'' if wish.points == 1 else 's'}.")
    else:
        visit.tell(f"Saved{name}, without points." if made else f"Nothing was entered{name}.")
    following = None if visit.field("stay") else _following(visit, queue)
    return visit.to("grade", item.question, results.code((following or item).submission, item.question))


def _following(visit: Visit, queue: Queue) -> Item | None:
    """Return where to go on: one that waits; if none does, the next one of those that were decided before."""
    item = queue.next_open(_taken(visit, queue.now.question))
    return item or (None if queue.now.open else queue.neighbour(1))


def zero(visit: Visit) -> Response:
    """Give no points for all questions that wait of a hand-in without a readable notebook, and go on."""
    queue, results = _queue(visit), visit.results
    item = queue.now
    if item.status not in NOT_READ:
        raise UsageError("this hand-in has a notebook that can be read: grade its questions one by one")
    waiting = [each for each in results.worklist.items(submission=item.submission) if each.open]
    wishes = [
        Wish(
            each.submission,
            each.question,
            max(0.0, each.allowed[0]),
            reason=NOTHING_READ,
            version=each.version,
        )
        for each in waiting
    ]
    results.decisions.decide(wishes, visit.person)
    visit.tell(f"Saved: 0 points for {counted(len(wishes), 'question')}.")
    following = _following(visit, queue) or item
    return visit.to("grade", item.question, results.code(following.submission, item.question))


def undo(visit: Visit) -> Response:
    """Take back the person's last decision of the question, unless somebody has decided on it since."""
    decisions, question = visit.results.decisions, visit.path("question")
    last = my_last(visit, question)
    if last is None:
        raise UsageError("you have decided nothing here that could be undone")
    decisions.undo(last.submission, question, visit.person, last.version)
    visit.tell("All of it is taken back." if last.together else "Your last decision is taken back.")
    if visit.field("back") == "groups":
        return visit.to("groups", question)
    return visit.to("grade", question, visit.results.code(last.submission, question))


def my_last(visit: Visit, question: str) -> Decision | None:
    """Return the last decision of the person on a question that was not taken back."""
    decisions = visit.results.decisions
    for each in decisions.history(question=question, person=visit.person, limit=100):
        if each.undoes is None:
            taken = {other.undoes for other in decisions.history(each.submission, question)}
            if each.version not in taken:
                return each
    return None


def restore(visit: Visit) -> Response:
    """Let an earlier version of a decision stand again."""
    results, question = visit.results, visit.path("question")
    submission = results.submission(visit.path("code"), question)
    version = next(iter(visit.numbers("version")), None)
    if submission is None or version is None:
        raise NotThere("There is no such version.")
    results.decisions.restore(submission, question, version, visit.person)
    visit.tell("The earlier version stands again.")
    return visit.to("grade", question, results.code(submission, question))


def preview(visit: Visit) -> Response:
    """Return what a comment will look like."""
    return HTMLResponse(str(person_html(visit.field("comment"))))


def add_comment(visit: Visit) -> Response:
    """Add a comment to the palette of a question, and go back."""
    points = entered_points(visit.field("comment_points")) or 0.0
    visit.results.palette.add(visit.path("question"), visit.field("text"), points, visit.person)
    visit.tell("The comment is added.")
    back = visit.field("back")
    pages = tuple(f"{visit.results.prefix}/{each}/" for each in ("grade", "groups"))
    ours = back.startswith(pages) and "\\" not in back
    return RedirectResponse(back if ours else address(visit.results, "comments"), 303)
