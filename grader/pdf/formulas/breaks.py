r"""Breaks a long formula as TeX does, after a relation or an operator; if there is none, inside of brackets.

x_1 + \frac{a}{b} = c    ->    x_1 + {}   \frac{a}{b} = {}   c
\left(a + b\right)       ->    \left(\vphantom{a + b}\right. a + {}   b \left.\vphantom{a + b}\right)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

RELATIONS = "approx|equiv|ge|geq|gg|in|le|leq|ll|mapsto|ne|neq|propto|sim|simeq|subset|subseteq|to"
OPERATORS = "cdot|cup|cap|oplus|otimes|pm|times|implies|iff|Rightarrow|Leftrightarrow"
STATES = "displaystyle|textstyle|scriptstyle|rm|bf|it|cal|sf|tt|small|normalsize|large|Large|LARGE|huge|Huge"
TOKEN = re.compile(
    r"\\(?P<delimiter>left|right)(?![A-Za-z])\s*(?P<shape>\\[A-Za-z]+|\\.|\S)"
    r"|(?P<open>\\begin(?![A-Za-z])|[{(\[])|(?P<close>\\end(?![A-Za-z])|[})\]])"
    rf"|(?P<sign>\\(?:{RELATIONS}|{OPERATORS})(?![A-Za-z])|[=+,;-])"
    rf"|(?P<state>\\(?:{STATES})(?![A-Za-z])|\\color\s*\{{[^{{}}]*\}})"
    r"|(?P<whole>\\(?:over|atop|above|choose|brace|brack|middle|cr)(?![A-Za-z])|\\\\|&)"
    r"|(?P<text>\\(?:text(?:rm|bf|it|normal)?|mbox)\s*)\{(?P<words>[^{}$\\]{30,})\}"
    r"|\\[A-Za-z]+|\\.|\S",
    re.S,
)
# A formula is broken neither before nor behind these.
STUCK = frozenset({"^", "_", "'", r"\limits", r"\nolimits"})
WORD = re.compile(r"\s*\S+\s*")
GROUP = re.compile(r"\s*(?:\\begin\{equation\*?\}(.*)\\end\{equation\*?\}|\{(.*)\})\s*", re.S)
MOST_PIECES = 100


@dataclass(frozen=True)
class _Group:
    """An open group or bracket: its segment, whether a formula may be broken in it, the states before it."""

    segment: int
    can_be_broken: bool
    states: tuple[str, ...]


@dataclass
class _Segment:
    """A piece of TeX; the formula may be broken behind it, inside of `depth` brackets, if that is not -1."""

    tex: str
    states: tuple[str, ...]
    depth: int = -1
    after: str = ""  # what the piece needs at its end if the formula is broken
    shape: str = ""  # of \left and \right
    partner: int = -1  # the number of the \right of a \left


def broken(tex: str) -> list[str]:
    """Return the pieces of a formula, one if there is no place to break it."""
    inside = GROUP.fullmatch(tex)
    return _pieces(tex) or (_pieces(inside[1] or inside[2] or "") if inside else []) or [tex]


def _pieces(tex: str) -> list[str]:
    """Return the pieces of a formula that is broken inside of as few brackets as possible, if it can be."""
    segments = _segments(tex)
    depth = min((segment.depth for segment in segments if segment.depth >= 0), default=-1)
    if depth < 0:
        return []

    # A bracket that grows and is broken is replaced by two alone, which are as high as what was between them.
    for first, opening in enumerate(segments):
        inner = segments[first + 1 : max(opening.partner, 0)]
        if any(segment.depth == depth for segment in inner):
            phantom = rf"\vphantom{{{''.join(segment.tex for segment in inner)}}}"
            closing = segments[opening.partner]
            opening.tex = rf"\left{opening.shape}{phantom}\right. "
            closing.tex = rf"\left.{phantom}\right{closing.shape} "

    every = sum(segment.depth == depth for segment in segments) // MOST_PIECES + 1
    pieces, piece, places = [], "", 0
    for segment in segments:
        piece = (piece or "".join(segment.states)) + segment.tex
        places += segment.depth == depth
        if segment.depth == depth and places % every == 0:
            pieces.append(piece + segment.after)
            piece = ""
    return [*pieces, piece] if piece else pieces


def _segments(tex: str) -> list[_Segment]:
    """Return a formula in segments; without a place to break it if it has what holds for all of it."""
    segments: list[_Segment] = []
    groups: list[_Group] = []
    states: tuple[str, ...] = ()
    position, before = 0, ""
    tokens = list(TOKEN.finditer(tex))
    for token, after in zip(tokens, [*(token[0] for token in tokens[1:]), ""], strict=False):
        part, position = tex[position : token.end()], token.end()
        depth = len(groups) if all(group.can_be_broken for group in groups) else -1
        segment = _Segment(part, states, shape=token["shape"] or "")
        segments.append(segment)
        previous, before = before, token[0]
        if token["whole"] and depth >= 0:
            return []
        if token["open"] or token["delimiter"] == "left":
            groups.append(_Group(len(segments) - 1, token[0] in "([" or bool(token["delimiter"]), states))
            before = ""
        elif token["close"] or token["delimiter"]:
            group = groups.pop() if groups else None
            if group is not None:
                is_bracket = segments[group.segment].tex.strip() in ("(", "[")
                states = states if is_bracket else group.states
                segments[group.segment].partner = len(segments) - 1 if token["delimiter"] else -1
        elif token["state"]:
            states = (*states, token[0] + " ")[-4:]
        elif depth < 0 or previous in STUCK or after in STUCK:
            continue
        elif token["words"]:
            words = [f"{token['text']}{{{word}}}" for word in WORD.findall(token["words"])]
            segments[-1:] = [_Segment(word, states, depth) for word in words]
        elif token["sign"] and previous and after:
            segment.depth, segment.after = depth, " {}"
            before = ""
    return segments
