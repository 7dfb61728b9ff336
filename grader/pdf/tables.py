"""HTML tables on a grid: every cell at its place, none over another, however the table was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from grader.pdf.markup import Element, alignment

MAX_ROWS, MAX_COLUMNS = 200, 40
MAX_CHARACTERS, WIDEST = (
    125,
    40,
)  # of a row that can be read when it is made as narrow as the page; of a column


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


def split_wide(table: Table) -> list[Table]:
    """Return a table that is too wide for a page in parts, each with the columns that name its rows.

    A table with a cell over several columns is left whole.
    """
    widths = _widths(table)
    if sum(widths) <= MAX_CHARACTERS or any(cell.colspan > 1 for cell in table.cells):
        return [table]
    names = _naming_columns(table)
    groups: list[list[int]] = [[]]
    for column in range(names, table.columns):
        together = sum(widths[:names]) + sum(widths[i] for i in groups[-1]) + widths[column]
        if groups[-1] and together > MAX_CHARACTERS:
            groups.append([])
        groups[-1].append(column)
    return [_part(table, [*range(names), *group]) for group in groups]


def _widths(table: Table) -> list[int]:
    """Return how many characters each column takes, with the room around them."""
    widths = [0] * table.columns
    for cell in table.cells:
        widths[cell.x] = max(widths[cell.x], min(len(cell.element.text.strip()), WIDEST) + 2)
    return widths


def _naming_columns(table: Table) -> int:
    """Return how many of the first columns hold headings in every row below the headings."""
    plain = [cell.x for cell in table.cells if cell.y >= table.headings and not cell.heading]
    first = min(plain, default=0)
    return first if first < table.columns // 2 else 0


def _part(table: Table, columns: list[int]) -> Table:
    places = {column: place for place, column in enumerate(columns)}
    cells = tuple(replace(cell, x=places[cell.x]) for cell in table.cells if cell.x in places)
    return replace(table, cells=cells, columns=len(columns))


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
