"""Where everything stands: the course, what waits, students, comments, the history."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from grader.counted import counted
from grader.course.total import Total, not_graded, total_of, total_of_sum
from grader.errors import UsageError
from grader.final import Waits
from grader.manual.decisions import Wish
from grader.manual.worklist import Item, Sum, own
from grader.records import Status
from grader.web.grading_pages import NOT_READ, entered_points, my_last, question_items, steps
from grader.web.served_results import Results
from grader.web.visit import WHOLE, NotThere, Visit

MAX_TODO = 300
MAX_SHOWN = 6  # different answers of a group that are shown
LIMIT = 200


def overview(visit: Visit) -> Response:
    """Show how far the course is."""
    results = visit.results
    progress, reasons = results.worklist.progress(), results.worklist.reasons()
    people = results.sharing.people()
    return visit.page(
        "overview.html",
        here="overview",
        progress=progress,
        reasons={key: value for key, value in reasons.items() if key is not Waits.RUN},
        running=reasons.get(Waits.RUN, 0),
        submissions=max((each.submissions for each in progress), default=0),
        waiting=sum(each.waiting for each in progress),
        decided=sum(each.decided for each in progress),
        people=people,
        shares=results.worklist.shares(people) if people else {},
        done_by=results.worklist.done_by(),
        anonymous=results.sharing.anonymous(),
    )


def live(visit: Visit) -> Response:
    """Return what changes while a batch runs, for the page to ask again and again."""
    results, job = visit.results, visit.results.jobs.state()
    reasons = results.worklist.reasons()
    stamp = [(key.value, count) for key, count in sorted(reasons.items())]
    return JSONResponse(
        {
            "stamp": f"{stamp} {job.done} {job.code} {job.title} {sum(results.worklist.done_by().values())}",
            "running": bool(reasons.get(Waits.RUN)) or job.running,
        }
    )


def close(visit: Visit) -> Response:
    """Hide what became of a job from this session."""
    visit.results.closed[visit.forgery] = next(iter(visit.numbers("job")), 0)
    page = visit.field("here")
    return visit.to(page) if page in ("students", "similar") else visit.to()


def todo(visit: Visit) -> Response:
    """List what waits for a person."""
    results = visit.results
    question, reason = visit.query("question"), visit.query("reason")
    items = results.worklist.items(question=question or None, only_open=True)
    counts: dict[str, int] = {}
    for item in items:
        counts[item.reason.value] = counts.get(item.reason.value, 0) + 1
    if reason:
        items = [item for item in items if item.reason.value == reason]
    people, mine, nameless = results.sharing.people(), bool(visit.query("mine")), results.sharing.anonymous()

    def order(item: Item) -> tuple[int, str]:  # that of the names tells who it is
        code = results.code(item.submission, item.question) if item.question in nameless else ""
        return item.number, code

    items = sorted(items, key=order)
    if mine:
        items = [item for item in items if own([item], people.get(item.question, []), visit.person)]
    return visit.page(
        "todo.html",
        here="todo",
        items=items[:MAX_TODO],
        number=len(items),
        counts=counts,
        question=question,
        reason=reason,
        mine=mine,
        doubled=doubled({item.submission: item.who for item in items}),
        shared=any(visit.person in persons for persons in people.values()),
        titles={each.question: each.title for each in results.worklist.progress()},
        anonymous=nameless,
    )


def students(visit: Visit) -> Response:
    """List all submissions with what they earn; those that do not count come last."""
    names = visit.results.worklist.names()
    rows = listed(visit.results)
    return visit.page(
        "students.html",
        here="students",
        rows=rows,
        names=names,
        doubled=doubled(names),
        hidden=bool(visit.hidden_questions()),
    )


def listed(results: Results) -> list[tuple[Sum, Total | None]]:
    """Return what each submission has and what that earns, as in the gradebook; None without a rubric."""
    rubric = results.rubric()
    rows: list[tuple[Sum, Total | None]] = []
    for each in sorted(results.worklist.totals(), key=lambda each: not each.counts):
        is_graded = each.status != Status.NOT_GRADED.value or not each.waiting
        total = None
        if rubric is not None and is_graded:
            total = total_of_sum(each.points, each.waiting, each.late, rubric)
        elif rubric is not None:
            total = not_graded(rubric)
        rows.append((each, total))
    return rows


def doubled(names: Mapping[str, str]) -> set[str]:
    """Return the names that several submissions have, so that pages say more of these; by submission."""
    return {who for who, number in Counter(names.values()).items() if number > 1}


def student(visit: Visit) -> Response:
    """Show all questions of one submission."""
    results = visit.results
    submission = results.submission(visit.path("code"))
    kept = None if submission is None else results.store.get_score(results.assignment, submission)
    if submission is None or kept is None:
        raise NotThere("There is no such submission.")
    rubric, items = results.rubric(), results.worklist.items(submission=submission)
    hidden = visit.hidden_questions()
    return visit.page(
        "student.html",
        here="students",
        name=kept.score.title,
        submission=submission,
        code=visit.path("code"),
        score=kept.score,
        total=total_of(kept.score, rubric) if rubric else None,
        items=items,
        zeros=[item for item in items if item.open and item.status in NOT_READ and not hidden],
        hidden=hidden & {item.question for item in items},
        titles={item.question: item.title for item in items},
        history=[
            each for each in results.decisions.history(submission, limit=50) if each.question not in hidden
        ],
        beside=list(results.beside(submission)),
        has_run=results.store.run_of(results.assignment, submission) is not None,
        anonymous=results.sharing.anonymous(),
    )


def groups(visit: Visit) -> Response:
    """List the groups of answers to a question that are alike."""
    question = visit.path("question")
    items = question_items(visit, question, mine=False)
    written = any(item.waits is Waits.WRITTEN for item in items)
    found = visit.results.groups(question, items, written=written)
    several = [group for group in found if len(group.items) > 1]
    texts = visit.results.worklist.texts(question, [group.items[0].submission for group in several])
    return visit.page(
        "groups.html",
        here="grade",
        question=question,
        title=items[0].title,
        groups=several,
        alone=len(found) - len(several),
        written=written,
        undoes=my_last(visit, question),
        excerpts={name: excerpt(each.text) for name, each in texts.items()},
    )


def excerpt(text: str) -> str:
    """Return the beginning of a text on one line."""
    line = re.sub(r"\s+", " ", text).strip()
    return f"{line[:220]} …" if len(line) > 220 else line


def group(visit: Visit) -> Response:
    """Show the answers of one group: of equal ones one, of similar ones several."""
    results, question = visit.results, visit.path("question")
    items = question_items(visit, question, mine=False)
    written = any(item.waits is Waits.WRITTEN for item in items)
    found = next(
        (
            each
            for each in results.groups(question, items, written=written)
            if any(results.code(item.submission, question) == visit.path("code") for item in each.items)
        ),
        None,
    )
    if found is None:
        raise NotThere("There is no such group.")
    different = list({item.alike or item.submission: item for item in found.items}.values())
    return visit.page(
        "group.html",
        here="grade",
        question=question,
        item=found.items[0],
        group=found,
        shown=different[:MAX_SHOWN],
        different=len(different),
        written=written,
        sheet=results.sheet(question),
        steps=steps(found.items[0]),
        comments=results.palette.comments(question),
        code=visit.path("code"),
        anonymous=question in results.sharing.anonymous(),
    )


def decide_group(visit: Visit) -> Response:
    """Decide for all chosen members of a group at once."""
    results, question = visit.results, visit.path("question")
    chosen = dict(value.split(":", 1) for value in visit.fields("member") if ":" in value)
    points = entered_points(visit.field("points"))
    if points is None:
        raise UsageError("give points: they are the same for all of the group")
    numbers = tuple(visit.numbers("comments"))
    comment, reason = visit.field("comment").replace("\r\n", "\n"), visit.field("reason")
    wishes = []
    for item in question_items(visit, question, mine=False):
        version = chosen.get(results.code(item.submission, question), "")
        if WHOLE.fullmatch(version):
            wishes.append(Wish(item.submission, question, points, comment, numbers, reason, int(version)))
    if not wishes:
        raise UsageError("choose at least one answer of the group")
    results.decisions.decide(wishes, visit.person)
    visit.tell(
        f"Saved for {counted(len(wishes), 'answer')}: {points:g} point{'' if points == 1 else 's'}. "
        "One undo takes all of it back."
    )
    return visit.to("groups", question)


def comments(visit: Visit) -> Response:
    """List the comments of the palette."""
    results = visit.results
    return visit.page(
        "comments.html",
        here="comments",
        comments=results.palette.comments(withdrawn=True),
        uses=results.palette.uses(),
        progress=results.worklist.progress(),
    )


def change_comment(visit: Visit) -> Response:
    """Change a comment for all who were given it."""
    number, version = visit.path("number"), next(iter(visit.numbers("version")), None)
    if not WHOLE.fullmatch(number) or version is None:
        raise NotThere("There is no such comment.")
    points = entered_points(visit.field("points")) or 0.0
    withdrawn = bool(visit.field("withdrawn"))
    visit.results.palette.change(
        int(number), visit.field("text"), points, visit.person, version, withdrawn=withdrawn
    )
    visit.tell("The comment is changed for all who were given it.")
    return visit.to("comments")


def history(visit: Visit) -> Response:
    """Show who decided what, when."""
    results = visit.results
    person, question = visit.query("person"), visit.query("question")
    return visit.page(
        "history.html",
        here="history",
        history=results.decisions.history(question=question or None, person=person or None, limit=LIMIT),
        person=person,
        question=question,
        done_by=results.worklist.done_by(),
        names=results.worklist.names(),
        titles={each.question: each.title for each in results.worklist.progress()},
        anonymous=results.sharing.anonymous(),
        limit=LIMIT,
    )
