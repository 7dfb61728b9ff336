"""Times are read as platforms write them in any language, or not at all."""

from __future__ import annotations

import pytest

from grader.intake.date_words import LANGUAGES, MONTHS, WEEKDAYS
from grader.intake.times import parsed_time, parsed_times

EVENING = "2026-06-25T18:59:00"


@pytest.mark.parametrize(
    "text",
    [
        "Thursday, 25 June 2026, 6:59 PM",
        "Donnerstag, 25. Juni 2026, 18:59",
        "Donnerstag, 25. Juni 2026, 6:59 nachmittags",
        "jeudi 25 juin 2026, 18:59",
        "jeudi 25 juin 2026 à 18h59",
        "jueves, 25 de junio de 2026, 18:59",
        "25 de junio de 2026, 6:59 p. m.",
        "dijous, 25 de juny de 2026, 18:59",
        "quinta-feira, 25 de junho de 2026, 18:59",
        "giovedì, 25 giugno 2026, 18:59",
        "donderdag, 25 juni 2026, 18:59",
        "torsdag den 25 juni 2026, 18:59",
        "torstai, 25. kesäkuuta 2026, 18:59",
        "czwartek, 25 czerwca 2026, 18:59",
        "čtvrtek, 25. června 2026, 18:59",
        "2026. június 25., csütörtök, 18:59",
        "четверг, 25 июня 2026, 18:59",
        "25 Haziran 2026, Perşembe, 18:59",
        "2026年06月25日 星期四 18:59",
        "2026年 06月 25日(木) 18:59",
        "2026년 6월 25일(목) 오후 6:59",
        "25.06.26, 18:59",
        "25/06/2026 18:59",
        "6/25/26 6:59 PM",
        "2026/06/25 18:59",
    ],
)
def test_a_time_is_read_in_the_language_of_the_site(text: str) -> None:
    assert parsed_time(text).startswith(EVENING)


@pytest.mark.parametrize("months", [months for months, _ in LANGUAGES if months])
def test_every_month_of_a_language_is_the_month_that_it_is(months: str) -> None:
    for number, forms in enumerate(months.split(), start=1):
        for word in forms.split("/"):
            assert parsed_time(f"3 {word} 2026, 18:59").startswith(f"2026-{number:02}-03T18:59"), word


def test_no_word_is_two_months_or_two_days() -> None:
    for column, numbers in ((0, MONTHS), (1, WEEKDAYS)):
        for language in LANGUAGES:
            for number, forms in enumerate(language[column].split()):
                assert [numbers[word] for word in forms.split("/")] == [number] * len(forms.split("/"))
    assert not set(MONTHS) & set(WEEKDAYS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "soon",
        "10:00",
        "5",
        "2026",
        "1.2.3",
        "25 June",  # of which year?
        "3/4/2026",  # the day first, or the month?
        "05-06-2026",
        "Friday, 25 June 2026, 10:00",  # it is a Thursday
        "četvrtak, 25. listopada 2026, 10:00",  # October in Croatian, November in Polish
        "25 Grumpf 2026, 10:00",
        "20 Nov 2026 10:00 CST",  # in America or in China?
        "31 February 2026",
        "99999999999 Jan",
    ],
)
def test_what_is_not_certain_is_no_time(text: str) -> None:
    assert parsed_time(text) == ""


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-20 10:00 +0200", "2026-11-20T10:00:00+02:00"),
        ("2026-11-20 10:00 GMT-5", "2026-11-20T10:00:00-05:00"),
        ("20. November 2026, 10:00 MEZ", "2026-11-20T10:00:00+01:00"),
        ("Fri, 20 Nov 2026 10:00 EST", "2026-11-20T10:00:00-05:00"),
        ("2015-02-02 15:58:23 America/Los_Angeles", "2015-02-02T15:58:23-08:00"),
    ],
)
def test_the_zone_that_a_time_names_is_not_that_of_this_machine(text: str, time: str) -> None:
    assert parsed_time(text) == time


@pytest.mark.parametrize(
    ("texts", "dates"),
    [
        (["3/4/2026", "25/3/2026"], ["2026-04-03", "2026-03-25"]),
        (["3/4/2026", "3/25/2026"], ["2026-03-04", "2026-03-25"]),
        (["3/4/2026", "3/25/2026", "25/3/2026"], ["", "2026-03-25", "2026-03-25"]),
        (["5/5/2026", "3/4/2026"], ["2026-05-05", ""]),
    ],
)
def test_the_dates_of_a_column_say_together_whether_the_day_is_first(
    texts: list[str], dates: list[str]
) -> None:
    assert [time[:10] for time in parsed_times(texts)] == dates
