"""Tables as text (CSV) as platforms and spreadsheet programs write them: read, and written the same way.

Which character separates the cells, and which encoding the text has, is seen from the text itself.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),  # what Excel calls Unicode text
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Form:
    """How a table is written: `mark` are the bytes before the text."""

    delimiter: str = ","
    encoding: str = "utf-8"
    mark: bytes = b""


PLAIN = Form()


def read_csv(data: bytes) -> tuple[list[list[str]], Form]:
    """Return the rows of a table and its form; raise csv.Error or UnicodeDecodeError if it is none."""
    mark, encoding = next((each for each in MARKS if data.startswith(each[0])), (b"", ""))
    content = data.removeprefix(mark)
    if encoding:
        text = content.decode(encoding)
    else:
        text, encoding = _decoded(content)
    # The first line has the headings: what separates most of them does not stand in one of them.
    delimiter = max(DELIMITERS, key=lambda each: len(next(_reader(text, each), [])))
    return list(_reader(text, delimiter)), Form(delimiter, encoding, mark)


def _decoded(content: bytes) -> tuple[str, str]:
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1"), "latin-1"  # which has no bytes without a meaning


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def write_csv(rows: Sequence[Sequence[str]], form: Form) -> bytes:
    """Return rows as a table of a form; raise UnicodeEncodeError if its encoding lacks a character."""
    text = io.StringIO()
    csv.writer(text, delimiter=form.delimiter, lineterminator="\r\n").writerows(rows)
    return form.mark + text.getvalue().encode(form.encoding)
