"""`grader choose`: which of several hand-ins of a student counts."""

from __future__ import annotations

from dataclasses import replace

import click

from grader.cli.open_results import Where, opened, results_options


@click.command(short_help="Choose which hand-in of a student counts.")
@click.argument("submission")
@results_options
def choose(submission: str, where: Where) -> None:
    """Let SUBMISSION count, in place of the other hand-ins of its students; later runs keep that."""
    from grader.batch.gradebook import recounted  # noqa: PLC0415 -- keeps --help fast

    with opened(where) as results:
        store, name = results.store, results.assignment
        submission = results.submission(submission)
        workers = store.workers(name)
        attempts = {kept.score.submission: kept.score.attempt for kept in store.kept_scores(name)}
        students = {student.key for student in attempts[submission].students}
        theirs = [
            each
            for each, attempt in attempts.items()
            if each == submission or students & {student.key for student in attempt.students}
        ]
        for each in theirs:
            kept = store.get_score(name, each)
            if kept is None or kept.judged is None:  # dropped meanwhile
                continue
            counts = each == submission
            attempt = replace(kept.judged.attempt, counts=counts, chosen=counts)
            score = recounted(kept.judged, attempt)
            store.put_scores(name, [score], kept.course, {each: kept.source}, workers.get(each, ""))
        results.publish(theirs)
    click.echo(f"{submission} counts; other hand-ins of its students that do not: {len(theirs) - 1}.")
