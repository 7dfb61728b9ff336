"""Moodle's grading worksheet, whose headings and words are in the language of the site.

    Identifier,Full name,...,Group,Grade,Maximum Grade,...,Last modified (submission),...(grade),...
    Participant 1234567,Jörg Doe,...,Default group,,40.00,...,"Thursday, 25 June 2026, 6:59 PM",-,...

In every language the identifier is a word and a number, and the two times stand in this order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "identifier": (
        "identifier",
        "id",
        "identificador",
        "identifiant",
        "identificatie",
        "идентификатор",
        "識別碼",
    ),
    "name": (
        "full name",
        "vollständiger name",
        "nombre completo",
        "nom complet",
        "nome completo",
        "volledige naam",
        "полное имя",
        "全名",
    ),
    "id": ("id number", "id-nummer", "número de id", "numéro d’identification", "numéro d'identification"),
    "email": (
        "email address",
        "e-mail-adresse",
        "dirección de correo",
        "adresse de courriel",
        "indirizzo email",
        "endereço de email",
        "e-mailadres",
    ),
    "grade": (
        "grade",
        "bewertung",
        "calificación",
        "note",
        "qualificació",
        "cualificación",
        "valutazione",
        "nota",
        "cijfer",
        "beoordeling",
        "betyg",
        "оценка",
        "成绩",
        "成績",
    ),
    "maximum": (
        "maximum grade",
        "bestwertung",
        "beste bewertung",
        "calificación máxima",
        "note maximale",
        "qualificació màxima",
        "valutazione massima",
        "nota máxima",
        "maximumcijfer",
        "максимальная оценка",
        "最高分",
    ),
    "time": (
        "last modified (submission)",
        "zuletzt geändert (abgabe)",
        "última modificación (entrega)",
        "fecha de entrega",
        "ultima modifica (consegna)",
        "última modificação (envio)",
        "последнее изменение (ответ)",
        "上次修改（作业）",
    ),
    "comments": (
        "feedback comments",
        "feedback als kommentar",
        "feedback par commentaires",
        "comentarios de retroalimentación",
    ),
}
PARTICIPANT = frozenset(
    "participant participante partecipante teilnehmer/in teilnehmer deelnemer deltagare deltager "
    "участник 参与者 參與者 参加者".split()
)
# The group of those who are in none, or in several.
NO_TEAM = frozenset(
    (
        "default group",
        "default team",
        "not a member of any group",
        "member of more than one group",
        "standardgruppe",
        "standard-gruppe",
        "kein mitglied einer gruppe",
        "mitglied in mehr als einer gruppe",
        "grupo por defecto",
        "grupo predeterminado",
        "no es miembro de ningún grupo",
        "miembro de más de un grupo",
        "groupe par défaut",
        "membre de plusieurs groupes",
        "grup per defecte",
        "membre de més d'un grup",
        "gruppo di default",
        "grupo predefinido",
        "grupo padrão",
        "inscrito em mais do que um grupo",
        "standaard groep",
        "standaardgroep",
        "lid van meer dan één groep",
        "standardgrupp",
        "inte medlem i någon grupp",
        "группа по умолчанию",
        "デフォルトグループ",
        "どのグループのメンバーでもない",
        "不是任何小组的成员",
    )
)
SHORTEST = 5  # letters of a word that is not known; what begins a student's own number is shorter
NUMBERED = re.compile(r"(?P<word>[^\W\d_]\D*?)\s*(?P<number>\d+)")
PAIRED = re.compile(r"(?P<what>.+?)\s*[(（].+[)）]")


def participants(rows: Sequence[Sequence[str]]) -> int | None:
    """Return the column in which each cell is one word and a number, such as `Participant 1234567`."""
    headings = [heading.strip().casefold() for heading in rows[0]] if rows else []
    for column, heading in enumerate(headings):
        if column and heading not in HEADINGS["identifier"]:
            continue
        cells = [cell for row in rows[1:] if len(row) > column and (cell := row[column].strip())]
        found = [NUMBERED.fullmatch(cell) for cell in cells]
        words = {each["word"].casefold() if each else "" for each in found}
        if len(words) == 1 and "" not in words:
            return column
    return None


def number_of(cell: str) -> str:
    """Return the number of a participant, '' if there is none."""
    found = NUMBERED.fullmatch(cell.strip())
    return found["number"] if found else ""


def is_worksheet(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a table is Moodle's worksheet: a student's own number may be letters and digits too."""
    column = participants(rows)
    if column is None:
        return False
    found = (NUMBERED.fullmatch(row[column].strip()) for row in rows[1:] if len(row) > column)
    word = next((each["word"].casefold() for each in found if each), "")
    if word in PARTICIPANT:
        return True
    return submission_times(rows[0]) is not None and (len(word) >= SHORTEST or not word.isascii())


def submission_times(headings: Sequence[str]) -> int | None:
    """Return the column that says when something was handed in: the first of two that begin alike."""
    plain = [heading.strip().casefold() for heading in headings]
    for column, heading in enumerate(plain):
        if heading in HEADINGS["time"]:
            return column
    begin = [found["what"] if (found := PAIRED.fullmatch(heading)) else "" for heading in plain]
    return next(
        (column for column, words in enumerate(begin) if words and words in begin[column + 1 :]), None
    )
