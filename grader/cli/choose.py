"""`grader choose`: which of several hand-ins of a student counts."""

from __future__ import annotations

from dataclasses import replace

import click

from grader.cli.open_results import Where, opened, results_options


@click.command(short_help="Choose which hand-in of a student counts.")
@click.argument("submission")
@results_options
def choose(submission: str, where: Where) -> None:
    """Let SUBMISSION count for its students, in place of their others; later runs keep that.

    Another hand-in of theirs goes on counting for those of its students who have no part in SUBMISSION.
    """
    from grader.batch.gradebook import recounted  # noqa: PLC0415 -- keeps --help fast
    from grader.batch.prepare import of_earlier_run  # noqa: PLC0415
    from grader.intake.attempts import Rules, by_student  # noqa: PLC0415

    with opened(where) as results:
        store, name, rubric = results.store, results.assignment, results.rubric
        submission = results.submission(submission)
        workers = store.workers(name)
        hand_ins = {kept.score.submission: of_earlier_run(kept) for kept in store.kept_scores(name)}
        students = {student.key for student in hand_ins[submission].attempt.students}
        theirs = {submission}
        for each, found in hand_ins.items():
            own = {student.key for student in found.attempt.students}
            if own & students:
                theirs.add(each)
                chosen = each == submission or (found.attempt.chosen and not own <= students)
                hand_ins[each] = replace(found, attempt=replace(found.attempt, chosen=chosen))
        late = rubric.late if rubric is not None else None
        rules = Rules(name, grace_seconds=60.0 * late.grace_minutes if late is not None else 0.0)
        names = list(hand_ins)
        counting = {names[numbers[0]] for numbers in by_student(list(hand_ins.values()), rules)}
        for each in sorted(theirs):
            kept = store.get_score(name, each)
            if kept is None or kept.judged is None:  # dropped meanwhile
                continue
            chosen = each == submission or hand_ins[each].attempt.chosen
            attempt = replace(kept.judged.attempt, counts=chosen or each in counting, chosen=chosen)
            score = recounted(kept.judged, attempt)
            store.put_scores(name, [score], kept.course, {each: kept.source}, workers.get(each, ""))
        results.publish(sorted(theirs))
    without = sum(each not in counting for each in theirs - {submission})
    click.echo(f"{submission} counts; other hand-ins of its students that do not: {without}.")
