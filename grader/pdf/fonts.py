"""Which fonts the characters of a document need, beside those that the typesetter brings along.

Looked through are the fonts of the machine and those of installed wheels (the extra `fonts`).
"""

from __future__ import annotations

from collections.abc import Set
from importlib.util import find_spec
from pathlib import Path

PREFERRED = tuple(
    "Noto Sans,DejaVu Sans,Noto Sans CJK SC,Noto Sans SC,PingFang SC,Hiragino Sans,Microsoft YaHei,SimSun,"
    "WenQuanYi Zen Hei,Noto Sans CJK TC,Malgun Gothic,Noto Sans Arabic,Segoe UI Symbol,Segoe UI Emoji,"
    "Apple Color Emoji,Noto Color Emoji,Noto Emoji,Symbola".split(",")
)
WHEELS = ("cvttf_NotoSansCJK_Regular", "fontpkg_noto_sans_arabic")
MOST_FONTS = 300  # that are looked into


def font_folders() -> list[Path]:
    """Return the folders of the fonts in installed wheels."""
    specs = [find_spec(name) for name in WHEELS]
    return [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin]


def families_for(characters: Set[str]) -> tuple[list[str], frozenset[str]]:
    """Return the families of fonts that have these characters, and the characters that no font here has."""
    import typst  # noqa: PLC0415 -- of the extra `pdf`
    from fontTools.ttLib import TTFont, TTLibError  # noqa: PLC0415

    missing, families = set(characters), list[str]()
    fonts = typst.Fonts(include_system_fonts=True, font_paths=[str(path) for path in font_folders()]).fonts()
    plain = [font for font in fonts if font.path and font.style == "normal"]
    order = {family: place for place, family in enumerate(PREFERRED)}
    plain.sort(key=lambda font: (order.get(font.family, len(order)), abs(font.weight - 400)))
    for font in plain[:MOST_FONTS]:
        if not missing:
            break
        if font.family in families:
            continue
        try:
            with TTFont(font.path, fontNumber=font.index, lazy=True) as file:
                has = {character for character in missing if ord(character) in (file.getBestCmap() or ())}
        except (TTLibError, OSError, KeyError, TypeError, ValueError):  # damaged, or without a table
            continue
        if has:
            families.append(font.family)
            missing -= has
    return families, frozenset(missing)


def as_number(character: str) -> str:
    """Return what stands for a character that no font has."""
    return f"[U+{ord(character):04X}]"
