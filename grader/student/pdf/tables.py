"""HTML tables on a grid: every cell at its place, none over another, however the table was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from grader.student.pdf.markup import Element, alignment

MAX_ROWS, MAX_COLUMNS = 200, 40


@dataclass(frozen=True)
class TableCell:
    """A cell of a table: where it stands, how far it reaches, and what is in it."""

    element: Element
    x: int
    y: int
    colspan: int
    rowspan: int
    heading: bool
    align: str


@dataclass(frozen=True)
class Table:
    """A table: its cells, its size, how many of its first rows are headings, and what was left out."""

    cells: tuple[TableCell, ...]
    columns: int
    rows: int
    headings: int
    rows_left_out: int = 0
    columns_left_out: int = 0


def read_table(element: Element) -> Table | None:
    """Return the grid of a `table` element; None if it has no cells."""
    rows = [(row, heading) for row, heading in _rows(element) if row.find("td", "th")]
    kept = rows[:MAX_ROWS]
    headings = next((i for i, (_, heading) in enumerate(kept) if not heading), len(kept))
    placed = list(_placed([row for row, _ in kept], headings))
    cells = tuple(_narrowed(cell) for cell in placed)
    if not cells:
        return None
    columns = max(cell.x + cell.colspan for cell in cells)
    wanted = max(len(row.find("td", "th")) for row, _ in kept)
    return Table(cells, columns, len(kept), headings, len(rows) - len(kept), max(wanted - columns, 0))


def _rows(element: Element) -> Iterator[tuple[Element, bool]]:
    """Yield the rows and whether each is a heading: in `thead`, or of `th` only before any other."""
    for child in element.children:
        if isinstance(child, Element) and child.tag == "tr":
            cells = child.find("td", "th")
            yield child, bool(cells) and all(cell.tag == "th" for cell in cells)
        elif isinstance(child, Element) and child.tag in ("thead", "tbody", "tfoot"):
            yield from ((row, child.tag == "thead") for row in child.find("tr"))


def _placed(rows: list[Element], headings: int) -> Iterator[TableCell]:
    taken: set[tuple[int, int]] = set()
    for y, row in enumerate(rows):
        x = 0
        for element in row.find("td", "th"):
            while (x, y) in taken:
                x += 1
            if x >= MAX_COLUMNS:
                break
            end = headings if y < headings else len(rows)
            cell = TableCell(
                element,
                x,
                y,
                _span(element, "colspan", MAX_COLUMNS),
                min(_span(element, "rowspan", MAX_ROWS), end - y),
                element.tag == "th" or y < headings,
                alignment(element),
            )
            cell = _fitting(cell, taken)
            taken |= {(x + i, y + j) for i in range(cell.colspan) for j in range(cell.rowspan)}
            yield cell
            x += cell.colspan


def _fitting(cell: TableCell, taken: set[tuple[int, int]]) -> TableCell:
    """Return a cell that reaches over no other."""
    colspan = next((i for i in range(1, cell.colspan) if (cell.x + i, cell.y) in taken), cell.colspan)
    return replace(cell, colspan=colspan)


def _narrowed(cell: TableCell) -> TableCell:
    return replace(cell, colspan=min(cell.colspan, MAX_COLUMNS - cell.x))


def _span(element: Element, name: str, most: int) -> int:
    value = element.attributes.get(name, "1")
    return min(max(int(value), 1), most) if value.isdecimal() and len(value) < 9 else 1
