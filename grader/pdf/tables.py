"""HTML tables on a grid, on which no cell lies over another, however the table was written."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grader.pdf.markup import Element, alignment

MAX_ROWS, MAX_COLUMNS, MAX_HEADINGS = 200, 40, 8
# In characters. A wider table could not be read when it is made as narrow as the page.
MAX_TABLE_WIDTH, MAX_COLUMN_WIDTH = 125, 40


@dataclass(frozen=True)
class TableCell:
    """A cell of a table: its column `x` and row `y`, how many of them it covers, and its element."""

    element: Element
    x: int
    y: int
    colspan: int
    rowspan: int
    heading: bool
    align: str


@dataclass(frozen=True)
class Table:
    """A table; its first `headings` rows are headings."""

    cells: tuple[TableCell, ...]
    columns: int
    rows: int
    headings: int
    rows_left_out: int = 0
    columns_left_out: int = 0


def read_table(element: Element) -> Table | None:
    """Return the grid of a `table` element; None if it has no cells."""
    # The first rows are headings if they are in `thead`, or if there is none and they have only `th`.
    parts = [child for child in element.children if isinstance(child, Element)]
    has_head = any(part.tag == "thead" for part in parts)
    rows: list[tuple[list[Element], bool]] = []
    for part in parts:
        for row in [part] if part.tag == "tr" else part.find("tr"):
            elements = row.find("td", "th")
            heading = part.tag == "thead" if has_head else all(cell.tag == "th" for cell in elements)
            rows += [(elements, heading)] if elements else []

    kept = rows[:MAX_ROWS]
    headings = next((y for y, (_, heading) in enumerate(kept) if not heading), len(kept))
    headings = headings if headings <= MAX_HEADINGS else 0  # they are on every page of the table
    cells = _place([elements for elements, _ in kept], headings)
    if not cells:
        return None
    columns = max(cell.x + cell.colspan for cell in cells)
    longest_row = max(len(elements) for elements, _ in kept)
    columns_left_out = max(longest_row - columns, 0)
    return Table(tuple(cells), columns, len(kept), headings, len(rows) - len(kept), columns_left_out)


def split_wide(table: Table) -> list[Table]:
    """Return a table that is too wide for a page in parts, each with the columns that name its rows.

    A table with a cell over several columns is left whole.
    """
    # The width of a column in characters, with the space around them.
    widths = [0] * table.columns
    for cell in table.cells:
        widths[cell.x] = max(widths[cell.x], min(len(cell.element.text.strip()), MAX_COLUMN_WIDTH) + 2)
    if sum(widths) <= MAX_TABLE_WIDTH or any(cell.colspan > 1 for cell in table.cells):
        return [table]

    # The first columns name the rows if they have only headings, and are less than half of the table.
    first_value = min((c.x for c in table.cells if c.y >= table.headings and not c.heading), default=0)
    naming = list(range(first_value)) if first_value < table.columns // 2 else []

    groups: list[list[int]] = [[]]
    for column in range(len(naming), table.columns):
        width = sum(widths[i] for i in [*naming, *groups[-1], column])
        if groups[-1] and width > MAX_TABLE_WIDTH:
            groups.append([])
        groups[-1].append(column)

    parts = []
    for group in groups:
        new_x = {column: x for x, column in enumerate([*naming, *group])}
        cells = tuple(replace(cell, x=new_x[cell.x]) for cell in table.cells if cell.x in new_x)
        parts.append(replace(table, cells=cells, columns=len(new_x)))
    return parts


def _place(rows: list[list[Element]], headings: int) -> list[TableCell]:
    """Return the cells of the rows on the grid, none over another."""
    cells: list[TableCell] = []
    taken: set[tuple[int, int]] = set()
    for y, row in enumerate(rows):
        x = 0
        end = headings if y < headings else len(rows)  # no heading covers a row below the headings
        for element in row:
            while (x, y) in taken:
                x += 1
            if x >= MAX_COLUMNS:
                break
            colspan = min(_span(element, "colspan", MAX_COLUMNS), MAX_COLUMNS - x)
            colspan = next((i for i in range(1, colspan) if (x + i, y) in taken), colspan)
            rowspan = min(_span(element, "rowspan", MAX_ROWS), end - y)
            heading = element.tag == "th" or y < headings
            cells.append(TableCell(element, x, y, colspan, rowspan, heading, alignment(element)))
            taken |= {(x + i, y + j) for i in range(colspan) for j in range(rowspan)}
            x += colspan
    return cells


def _span(element: Element, name: str, most: int) -> int:
    """Return the number in `colspan` or `rowspan`, from 1 to `most`; 1 if there is none."""
    value = element.attributes.get(name, "1")
    return min(max(int(value), 1), most) if value.isdecimal() and len(value) < 9 else 1
