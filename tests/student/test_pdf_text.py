"""Lines, tables and Markdown on their way to the page: nothing is lost, nothing is clipped, nothing is code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.pdf.code import set_code
from grader.pdf.content import Content
from grader.pdf.draft import Draft, as_source
from grader.pdf.escape_codes import FIRST_ROWS, LAST_ROWS, set_terminal
from grader.pdf.formulas.find import Found, take_formulas
from grader.pdf.markup import MAX_DEPTH, Element, read_html
from grader.pdf.rows import PLAIN, Row, Style, set_rows
from grader.pdf.tables import MAX_COLUMNS, read_table, split_wide
from grader.pdf.text import columns_of, plain

UNHURRIED = settings(deadline=None, max_examples=60)
CODE = st.text(st.characters(codec="utf-8") | st.sampled_from('`$#\\"@<>*_[]{}()/= \n\t'), max_size=400)


def words(row: Row) -> str:
    return "".join(text for text, _ in row.runs)


def width(row: Row) -> int:
    return row.indent + sum(map(columns_of, words(row)))


@UNHURRIED
@given(CODE, st.integers(20, 100))
def test_the_rows_of_a_code_are_its_characters_in_order_and_fit(source: str, columns: int) -> None:
    rows = set_code(source, columns=columns)
    kept = "".join(map(words, rows))
    assert kept.split() == plain(source).replace("\n", "").split() or "".join(kept.split()) == "".join(
        plain(source).split()
    )
    assert all(width(row) <= columns for row in rows)


@UNHURRIED
@given(st.lists(st.text("ab (,\n", max_size=120), max_size=5))
def test_wrapping_keeps_every_line_apart(parts: list[str]) -> None:
    runs = [(part, Style(bold=bool(i % 2))) for i, part in enumerate(parts)] or [("", PLAIN)]
    rows = set_rows(runs, 30)
    lines: list[str] = []
    for row in rows:
        if row.continued:
            lines[-1] += words(row)
        else:
            lines.append(words(row))
    assert lines == "".join(parts).split("\n")


def test_a_wide_character_takes_two_columns_and_an_accent_none() -> None:
    assert words(set_rows([("中" * 12, PLAIN)], 20)[0]) == "中" * 10
    assert len(set_rows([("e\u0301" * 20, PLAIN)], 20)) == 1


def test_a_row_is_broken_after_a_separator_and_goes_on_deeper_than_its_line() -> None:
    first, second = set_rows([("    call(first_argument, second_argument)", PLAIN)], 30)
    assert words(first) == "    call(first_argument, "
    assert (second.continued, second.indent, words(second)) == (True, 8, "second_argument)")


@pytest.mark.parametrize(
    ("printed", "row", "style"),
    [
        ("\x1b[1;31mx", "x", Style("#b3261e", bold=True)),
        ("\x1b[38;5;196mx", "x", Style("#ff0000")),
        ("\x1b[38;2;1;2;3mx", "x", Style("#010203")),
        ("\x1b[4mx\x1b[0m", "x", Style(underline=True)),
        ("\x1b[2K\x1b]0;title\x07x\x00\x08", "x", PLAIN),
        ("10%\r50%\r100%", "100%", PLAIN),
        ("\x1b[38;5mx", "x", Style("#24292f")),
        ("\x1b[999999999999mx", "x", PLAIN),
    ],
)
def test_a_terminal_shows(printed: str, row: str, style: Style) -> None:
    rows, _ = set_terminal(printed)
    runs = [run for run in rows[0].runs if run[0]]
    assert runs == [(row, style)]


def test_an_endless_output_keeps_its_beginning_and_its_end() -> None:
    rows, left_out = set_terminal("".join(f"{n}\n" for n in range(1000)))
    assert (words(rows[0]), words(rows[-1])) == ("0", "999")
    assert len(rows) == FIRST_ROWS + LAST_ROWS
    assert left_out == 1000 - len(rows)


@UNHURRIED
@given(CODE)
def test_formulas_are_taken_out_and_put_back_without_a_trace(source: str) -> None:
    found: list[Found] = []

    def keep(formula: Found) -> int:
        found.append(formula)
        return len(found) - 1

    taken = take_formulas(source, keep)
    draft = Draft(Path("unused"), formulas=found)
    assert draft.as_written(taken) == source.replace("\ue000", "").replace("\ue001", "")


@pytest.mark.parametrize(
    ("source", "formulas"),
    [
        ("$a_1$ and $b$", ["a_1", "b"]),
        ("costs \\$5 and \\$6", []),
        ("costs 5$ and 6$", ["and 6"]),
        ("`$a$` and ``$b$``", []),
        ("```\n$a$\n```\n$b$", ["b"]),
        ("```bash x ```\n\n$a$ and\n\n$$b$$", ["a", "b"]),
        ("~~~ `x` ~\n$a$\n~~~\n$b$", ["b"]),
        ("$$\na\n\nb\n$$", []),
        ("$a\n\nb$", []),
        (r"\begin{align}a\\b\end{align}", [r"\begin{align}a\\b\end{align}"]),
        (r"\begin{align}a", []),
        (r"\\(x\\) \\[y\\]", ["x", "y"]),
        ("$$", []),
        ("$ $", []),
    ],
)
def test_formulas_are_found_where_jupyter_finds_them(source: str, formulas: list[str]) -> None:
    found: list[str] = []
    take_formulas(source, lambda formula: found.append(formula.tex) or 0)  # type: ignore[func-returns-value]
    assert found == formulas


def nodes_of(nodes: list[Any], kind: str) -> list[Any]:
    found = []
    for node in nodes:
        if isinstance(node, dict):
            found += [node] if node["t"] == kind else []
            children = node.get("c", []) + [c for item in node.get("items", []) for c in item]
            found += nodes_of(children + [n for cell in node.get("cells", []) for n in cell["c"]], kind)
    return found


@UNHURRIED
@given(st.text(st.sampled_from("<>/div table tr td img src=\"'#$`*_[]()!\\\n-|&;:{}=@x1"), max_size=300))
def test_any_text_becomes_nodes_of_plain_data_of_limited_depth(source: str) -> None:
    draft = Draft(Path("unused"))
    nodes = Content(draft).markdown(source) + Content(draft).html(read_html(source))
    assert json.loads(json.dumps(nodes)) == nodes
    assert json.dumps(nodes).count("[") < 10_000
    assert nodes_of(nodes, "picture") == []


def test_elements_nested_without_end_are_flattened_but_their_text_stays() -> None:
    def depth(element: Element) -> int:
        return 1 + max((depth(child) for child in element.children if isinstance(child, Element)), default=0)

    tree = read_html("<div>" * 100 + "kept" + "</div>" * 100 + "after")
    assert depth(tree) <= MAX_DEPTH + 1
    assert tree.text == "keptafter"
    assert read_html("<b>" * 5000 + "kept").text.strip() == "kept"


@pytest.mark.parametrize(
    ("source", "kind", "count"),
    [
        ("[a](https://x.example/)", "link", 1),
        ("[a](javascript:alert(1))", "link", 0),
        ("[a](file:///etc/passwd)", "link", 0),
        ("<a href='data:text/html,x'>a</a>", "link", 0),
        ("<script>x</script><style>y</style>", "rows", 0),
        ("<iframe src='z'></iframe>", "note", 1),
        ("<video src='z'>no video here</video>", "note", 1),
        ("![a](/etc/passwd)", "note", 1),
        ("![a](file:///etc/passwd)", "note", 1),
        ("![a](https://x.example/a.png)", "note", 1),
        ("![a](//x.example/a.png)", "note", 1),
        ("![a](attachment:none.png)", "note", 1),
        ("![a](data:image/png;base64,AAAA)", "note", 1),
    ],
)
def test_links_lead_to_pages_only_and_pictures_come_from_the_notebook_only(
    source: str, kind: str, count: int, tmp_path: Path
) -> None:
    draft = Draft(tmp_path)
    assert len(nodes_of(Content(draft).markdown(source), kind)) == count
    assert bool(draft.warnings) == (kind == "note")
    assert list(tmp_path.iterdir()) == []


@UNHURRIED
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.booleans()), max_size=3), max_size=6)
)
def test_no_cell_of_a_table_lies_over_another_or_outside(rows: list[list[tuple[int, int, bool]]]) -> None:
    html = "".join(
        "<tr>" + "".join(
            f"<{'th' if head else 'td'} colspan={w} rowspan={h}>x</{'th' if head else 'td'}>" for w, h, head in row
        ) + "</tr>"
        for row in rows
    )  # fmt: skip
    (element,) = read_html(f"<table>{html}</table>").find("table")
    table = read_table(element)
    if table is None:
        assert not any(rows)
        return
    places = [
        (cell.x + i, cell.y + j)
        for cell in table.cells
        for i in range(cell.colspan)
        for j in range(cell.rowspan)
    ]
    assert len(places) == len(set(places))
    assert all(x < table.columns and y < table.rows for x, y in places)
    assert len(table.cells) == sum(map(len, rows))
    assert not any(cell.y < table.headings < cell.y + cell.rowspan for cell in table.cells)


@pytest.mark.parametrize(
    ("rows", "headings"),
    [
        ("<tr><th>a</th></tr><tr><td>1</td></tr>", 1),
        ("<thead><tr><td>a</td></tr></thead><tr><th>1</th></tr>", 1),
        ("<tbody><tr><th>a</th></tr><tr><th>b</th></tr><tr><th>1</th><td>2</td></tr></tbody>", 2),
        ("<tr><th>a</th><td>1</td></tr>", 0),
        ("<tr><th>a</th></tr>" * 100, 0),
    ],
)
def test_the_first_rows_of_only_headings_are_the_head_of_a_table(rows: str, headings: int) -> None:
    (element,) = read_html(f"<table>{rows}</table>").find("table")
    table = read_table(element)
    assert table is not None
    assert table.headings == headings


def test_a_table_with_too_many_columns_says_what_it_lost() -> None:
    (element,) = read_html("<table><tr>" + "<td>x</td>" * 100 + "</tr></table>").find("table")
    table = read_table(element)
    assert table is not None
    assert (table.columns, table.columns_left_out) == (MAX_COLUMNS, 100 - MAX_COLUMNS)


@UNHURRIED
@given(st.text())
def test_the_source_of_a_formula_cannot_leave_its_quotes(text: str) -> None:
    inside = as_source(text).removeprefix('text(fill: rgb("#a0111f"), raw("').removesuffix('"))')
    position = 0
    while position < len(inside):
        assert inside[position] not in '"\n'
        position += 2 if inside[position] == "\\" else 1
    assert position == len(inside)


def test_a_table_wider_than_a_page_is_set_in_parts_each_with_the_names_of_the_rows() -> None:
    head = "<tr><th></th>" + "".join(f"<th>column {n:04}</th>" for n in range(24)) + "</tr>"
    row = "<tr><th>row</th>" + "".join(f"<td>{n}</td>" for n in range(24)) + "</tr>"
    (element,) = read_html(f"<table><thead>{head}</thead><tbody>{row}{row}</tbody></table>").find("table")
    table = read_table(element)
    assert table is not None
    parts = split_wide(table)
    assert len(parts) == 3
    below = [[cell.element.text for cell in part.cells if cell.y == 1] for part in parts]
    assert [texts[0] for texts in below] == ["row"] * 3
    assert [text for texts in below for text in texts[1:]] == [str(n) for n in range(24)]
    assert all(
        sorted(cell.x for cell in part.cells if cell.y == 0) == [*range(part.columns)] for part in parts
    )


def test_a_table_that_fits_or_has_cells_over_several_columns_stays_whole() -> None:
    for row in ("<td>x</td>" * 20, "<td colspan=2>" + "x" * 40 + "</td><td>" + "y" * 100 + "</td>" * 9):
        (element,) = read_html(f"<table><tr>{row}</tr></table>").find("table")
        table = read_table(element)
        assert table is not None
        assert split_wide(table) == [table]
