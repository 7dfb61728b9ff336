"""Teams of the roster: whose members handed in more than one notebook, though one counts for all of them."""

from __future__ import annotations

import hashlib
import stat
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from grader.counted import counted, listed
from grader.intake.roster import Roster, name_key
from grader.intake.submissions import Submission

SHOWN = 8


def several_works(submissions: Sequence[Submission], roster: Roster) -> list[str]:
    """Return a line for each team of which several members handed in different notebooks.

    Copies of one notebook, such as Moodle hands out for each member, are one.
    """
    by_team: dict[str, list[Submission]] = defaultdict(list)
    for each in submissions:
        if each.attempt.students and not (each.absent or each.missing or each.problem or each.fault):
            found = roster.find(each.attempt.students[0])  # who handed it in; the others are of the team
            if len(found) == 1 and found[0].team:
                by_team[name_key(found[0].team)].append(each)
    lines = []
    for team, works in by_team.items():
        authors = {each.attempt.students[0].key for each in works}
        if len(authors) < 2 or len({_content(each.path) for each in works}) < 2:
            continue
        entries = [entry for entry in roster.entries if name_key(entry.team) == team]
        members = listed([entry.shown for entry in entries], SHOWN)
        handed_in = listed([each.id for each in works], SHOWN)
        lines.append(
            f"the team {entries[0].team!r} ({counted(len(entries), 'member')}: {members}) has "
            f"{len(works)} hand-ins that differ: {handed_in}. One of them counts for all: is it a team?"
        )
    return lines


def _content(path: Path) -> str:
    """Return a digest of a file; what is no plain file differs from all others."""
    try:
        if stat.S_ISREG(path.lstat().st_mode):
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        pass
    return str(path)
