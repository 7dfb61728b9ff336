"""The pages of feedback in one ZIP, each named after its student."""

from __future__ import annotations

import io
import re
import zipfile

from grader.gradebooks.book import Book
from grader.report.pages import without_notebook_link


def feedback_zip(book: Book) -> bytes:
    """Return a ZIP with `Name (number).html` for each student."""
    data, taken = io.BytesIO(), set[str]()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for row, page in book.pages_to_hand_out():
            further = row.student.id or row.student.email or row.student.login or row.student.platform_id
            name = f"{row.student.shown} ({further})" if further else row.student.shown
            name = re.sub(r"[/\\:*?\"<>|\x00-\x1f]", "_", name)[:120]
            candidate, number = name, 2
            while candidate.casefold() in taken:
                candidate, number = f"{name} {number}", number + 1
            taken.add(candidate.casefold())
            archive.writestr(f"{candidate}.html", without_notebook_link(page.read_text(encoding="utf-8")))
    return data.getvalue()
