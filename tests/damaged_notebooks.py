"""Makes damaged notebooks: bits, cuts, wrong types in every field, huge fields, deep nesting, encodings, conversions.

Each is a name and its bytes; the same number gives the same ones on every machine.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

CELLS = (
    ("markdown", "# Doubling, *ärgerlich* 🦊"),
    ("code", "import numpy as np\ndef double(x):\n    return x + x"),
    ("code", "double(np.arange(3))"),
)
OUTPUT = {"output_type": "stream", "name": "stdout", "text": ["[0 2 4]\n"]}
WRONG: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    "",
    "text",
    [],
    [None],
    {},
    {"a": []},
    float("nan"),
)
Damage = Callable[[random.Random], bytes]


def base() -> dict[str, Any]:
    """Return a sound notebook with every part that notebooks have."""
    cells: list[dict[str, Any]] = []
    for number, (kind, source) in enumerate(CELLS):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"c{number}", "metadata": {}, "source": source}
        if kind == "code":
            cell |= {"outputs": [copy.deepcopy(OUTPUT)], "execution_count": number}
        cells.append(cell)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def written(content: Any) -> bytes:
    """Return a notebook as Jupyter writes it."""
    return json.dumps(content, indent=1, ensure_ascii=False).encode()


def places(content: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every field."""
    entries = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for key, value in entries:
        yield (*at, key)
        yield from places(value, (*at, key))


def changed(chance: random.Random, change: Callable[[Any, Any], None]) -> bytes:
    """Return a notebook in which one field was changed."""
    content = base()
    *path, last = chance.choice(list(places(content)))
    inner = content
    for key in path:
        inner = inner[key]
    change(inner, last)
    return written(content)


def wrong_type(chance: random.Random) -> bytes:
    value = chance.choice(WRONG)
    return changed(chance, lambda inner, key: inner.__setitem__(key, value))


def lost_field(chance: random.Random) -> bytes:
    return changed(chance, lambda inner, key: inner.__delitem__(key))


def huge_field(chance: random.Random) -> bytes:
    size = chance.choice((10**5, 2 * 10**6))
    values: tuple[Any, ...] = (
        "x" * size,
        "1+" * (size // 2),
        ["\n"] * (size // 20),
        {str(n): n for n in range(size // 50)},
    )
    value = chance.choice(values)
    return changed(chance, lambda inner, key: inner.__setitem__(key, value))


def deep(chance: random.Random) -> bytes:
    depth = chance.choice((50, 900, 5000, 200_000))
    opened, closed = chance.choice((("[", "]"), ('{"a":', "}")))
    text = written(base()).decode()
    nested = opened * depth + "1" + closed * depth
    source = json.dumps("(" * depth + "1" + ")" * depth)
    replaced = chance.choice(
        (('"metadata": {}', f'"metadata": {{"a": {nested}}}'), ('"double(np.arange(3))"', source))
    )
    return text.replace(*replaced, 1).encode()


def flipped(chance: random.Random) -> bytes:
    data = bytearray(written(base()))
    for _ in range(chance.choice((1, 1, 3, 30))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def cut(chance: random.Random) -> bytes:
    data = written(base())
    first, second = sorted(chance.randrange(len(data)) for _ in range(2))
    return chance.choice(
        (data[:first], data[second:], data[:first] + data[second:], data[:first] + bytes(64) + data[first:])
    )


def encoded(chance: random.Random) -> bytes:
    name = chance.choice(
        ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "cp1252", "cp037", "utf-7", "cp932")
    )
    return written(base()).decode().encode(name, "replace")


def converted(chance: random.Random) -> bytes:
    data = written(base())
    return chance.choice(
        (
            gzip.compress(data, mtime=0),
            json.dumps(data.decode()).encode(),
            b"<!DOCTYPE html><html>" + data + b"</html>",
            "\n".join(source for _, source in CELLS).encode(),
            data.replace(b"\n", b"\r\n"),
            data.replace(b'"', "”".encode()),
            b"".join(b"> " + line for line in data.splitlines(keepends=True)),
            json.dumps(base(), ensure_ascii=True).encode(),
        )
    )


DAMAGES: tuple[Damage, ...] = (wrong_type, lost_field, huge_field, deep, flipped, cut, encoded, converted)


def damaged(number: int) -> Iterator[tuple[str, bytes]]:
    """Yield so many damaged notebooks, of every kind in turn."""
    for index in range(number):
        damage = DAMAGES[index % len(DAMAGES)]
        yield f"{damage.__name__}-{index:04}", damage(random.Random(index))


def conflict() -> bytes:
    """Return a notebook with the marks of a merge that was never resolved."""
    text = written(base()).decode()
    line = next(each for each in text.splitlines() if "x + x" in each)
    marked = f"<<<<<<< HEAD\n{line}\n=======\n{line.replace('x + x', '2 * x')}\n>>>>>>> mine"
    return text.replace(line, marked).encode()


def of_version_3() -> bytes:
    """Return a notebook of nbformat 3 with a heading."""
    heading = {"cell_type": "heading", "level": 2, "metadata": {}, "source": ["Doubling"]}
    code = [
        {
            "cell_type": "code",
            "language": "python",
            "metadata": {},
            "outputs": [],
            "collapsed": False,
            "input": text.splitlines(keepends=True),
        }
        for kind, text in CELLS
        if kind == "code"
    ]
    return written(
        {
            "metadata": {"name": ""},
            "nbformat": 3,
            "nbformat_minor": 0,
            "worksheets": [{"cells": [heading, *code], "metadata": {}}],
        }
    )


def of_version_2() -> bytes:
    """Return a notebook of nbformat 2."""
    code = [
        {"cell_type": "code", "language": "python", "outputs": [], "collapsed": False, "input": text}
        for kind, text in CELLS
        if kind == "code"
    ]
    return written({"metadata": {"name": ""}, "nbformat": 2, "worksheets": [{"cells": code}]})


REPAIRED: dict[str, bytes] = {
    "a byte of cp1252": written(base()).replace("🦊".encode(), b"\xe4\x80\x93"[:1]),
    "merge markers": conflict(),
    "zeros at the end": written(base()) + bytes(4096),
    "control characters": written(base()).replace(b"Doubling,", b"Doubling,\x01\t"),
    "nbformat 3 with a heading": of_version_3(),
    "nbformat 2": of_version_2(),
}
