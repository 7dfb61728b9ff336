"""What a head TA does: sharing out, accounts, judging again, writing the pages and the gradebook."""

from __future__ import annotations

from starlette.responses import Response

from grader.batch.write_pages import write_pages
from grader.errors import UsageError
from grader.intake.submissions import ROSTER
from grader.manual.accounts import Role
from grader.web.visit import NotThere, Visit


def people(visit: Visit) -> Response:
    """Show who grades what, the accounts, and the audit log."""
    results = visit.results
    accounts, done = results.accounts.people(), results.worklist.done_by()
    progress, shared = results.worklist.progress(), results.sharing.people()
    waiting = results.worklist.items(only_open=True)
    return visit.page(
        "people.html",
        here="people",
        accounts=accounts,
        names=sorted({*accounts, *done, visit.person}),
        shared=shared,
        shares=results.worklist.shares(shared),
        waiting=len(waiting),
        unfinished=len({item.submission for item in waiting}),
        anonymous=results.sharing.anonymous(),
        progress=progress,
        for_people=sorted(
            (each for each in progress if each.waiting or each.written), key=lambda each: not each.written
        ),
        for_judge=[each for each in progress if not each.waiting and not each.written],
        events=results.accounts.events(),
    )


def share(visit: Visit) -> Response:
    """Share questions out among people, and say whether names are hidden; what was not changed stays."""
    sharing = visit.results.sharing
    for each in visit.results.worklist.progress():
        question = each.question
        persons = sorted(set(visit.fields(f"person {question}")))
        hidden = bool(visit.field(f"anonymous {question}"))
        if ", ".join(persons) != visit.field(f"persons before {question}"):
            sharing.share(question, persons, visit.person)
            visit.log("shared out", f"{question}: {', '.join(persons) or 'everybody'}")
        if hidden != bool(visit.field(f"anonymous before {question}")):
            sharing.hide_names(question, visit.person, hidden=hidden)
            visit.log("names hidden" if hidden else "names shown", question)
    visit.tell("Saved who grades what.")
    return visit.to("people")


def share_everything(visit: Visit) -> Response:
    """Share every question that is for people out among the same persons."""
    persons = sorted(set(visit.fields("person")))
    if not persons:
        raise UsageError("tick who grades")
    for each in visit.results.worklist.progress():
        if each.waiting or each.written:
            visit.results.sharing.share(each.question, persons, visit.person)
            visit.log("shared out", f"{each.question}: {', '.join(persons)}")
    visit.tell(f"Shared out among {', '.join(persons)}.")
    return visit.to("people")


def add_account(visit: Visit) -> Response:
    """Add an account, or change one."""
    name, role = visit.field("name").strip(), visit.field("role")
    if role not in {each.value for each in Role}:
        raise UsageError(f"there is no role {role!r}")
    visit.results.accounts.add(name, Role(role), visit.field("password"))
    visit.log("account added", f"{name}, {role}")
    visit.tell(f"Saved: {name} is {role}.")
    return visit.to("people")


def remove_account(visit: Visit) -> Response:
    """Remove an account."""
    name = visit.field("name")
    if name == visit.person:
        raise UsageError("another head TA has to remove your own account")
    visit.results.accounts.remove(name)
    visit.log("account removed", name)
    visit.tell(f"The account {name} is removed.")
    return visit.to("people")


def regrade(visit: Visit) -> Response:
    """Judge one submission again, one question of all, or everything."""
    results = visit.results
    code, question = visit.field("code"), visit.field("question")
    arguments = ["--question", question] if question else []
    if code:
        submission = results.submission(code)
        if submission is None:
            raise NotThere("There is no such submission.")
        arguments += ["--", submission]
        title, total = submission, 1
    else:
        if not visit.is_head:
            raise UsageError("only a head TA may judge everybody again")
        sources = results.store.sources(results.assignment)
        arguments.append("--all")
        title, total = "everybody", sum(source != ROSTER for source in sources.values())
    about = f"{title}, {question}" if question else title
    if not results.jobs.start("regrade", arguments, f"Judging again: {about}", total):
        raise UsageError("something is being judged again already; wait for its end")
    visit.log("judged again", about)
    return visit.to("students", code) if code else visit.to()


def publish(visit: Visit) -> Response:
    """Write the pages of feedback and the gradebook with what people decided."""
    results = visit.results
    rubric = results.rubric()
    if rubric is None:
        raise UsageError("these results are of an earlier version; give `grader grade` again first")
    count = write_pages(results.out, results.store, rubric)
    visit.log("published", f"{count} pages")
    words = (
        f"{count} pages of feedback, the page of the course and the gradebook are written to {results.out}. "
        "Hand them out from there; for the file of a learning platform: grader export."
    )
    waiting = len(results.worklist.items(only_open=True))
    if waiting:
        words += f" {waiting} answers still wait for a person: publish again when they are decided."
    return visit.page("told.html", title="Published", words=words)
