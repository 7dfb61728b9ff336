"""The months and days of the week in the languages in which platforms write dates.

A word that is a month in two languages and not the same one (the Croatian and the Polish `listopada`) is told
apart by the day of the week, which has to be that of the date.
"""

from __future__ import annotations

from collections.abc import Sequence

# The months from January on, then the days of the week from Monday on. Where a language has two forms of a
# word, as in `25 czerwca` and `czerwiec`, both are there.
LANGUAGES: Sequence[tuple[str, str]] = (
    (  # English
        "january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sep/sept "
        "october/oct november/nov december/dec",
        "monday/mon tuesday/tue/tues wednesday/wed thursday/thu/thurs friday/fri saturday/sat sunday/sun",
    ),
    (  # German
        "januar/jänner februar/feber märz april mai juni juli august september oktober november dezember",
        "montag dienstag mittwoch donnerstag freitag samstag/sonnabend sonntag",
    ),
    (  # French
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
    ),
    (  # Spanish
        "enero febrero marzo abril mayo junio julio agosto septiembre/setiembre octubre noviembre diciembre",
        "lunes martes miércoles jueves viernes sábado domingo",
    ),
    (  # Catalan
        "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
        "dilluns dimarts dimecres dijous divendres dissabte diumenge",
    ),
    (  # Portuguese
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "segunda terça quarta quinta sexta sábado domingo",
    ),
    (  # Italian
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    ),
    (  # Dutch
        "januari februari maart april mei juni juli augustus september oktober november december",
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    ),
    (  # Danish and Norwegian
        "januar februar marts/mars april maj/mai juni juli august september oktober november "
        "december/desember",
        "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    ),
    (  # Swedish
        "januari februari mars april maj juni juli augusti september oktober november december",
        "måndag tisdag onsdag torsdag fredag lördag söndag",
    ),
    (  # Finnish
        "tammikuu/tammikuuta helmikuu/helmikuuta maaliskuu/maaliskuuta huhtikuu/huhtikuuta "
        "toukokuu/toukokuuta kesäkuu/kesäkuuta heinäkuu/heinäkuuta elokuu/elokuuta syyskuu/syyskuuta "
        "lokakuu/lokakuuta marraskuu/marraskuuta joulukuu/joulukuuta",
        "maanantai/maanantaina tiistai/tiistaina keskiviikko/keskiviikkona torstai/torstaina "
        "perjantai/perjantaina lauantai/lauantaina sunnuntai/sunnuntaina",
    ),
    (  # Polish
        "styczeń/stycznia luty/lutego marzec/marca kwiecień/kwietnia maj/maja czerwiec/czerwca "
        "lipiec/lipca sierpień/sierpnia wrzesień/września październik/października listopad/listopada "
        "grudzień/grudnia",
        "poniedziałek wtorek środa czwartek piątek sobota niedziela",
    ),
    (  # Czech
        "leden/ledna únor/února březen/března duben/dubna květen/května červen/června "
        "červenec/července srpen/srpna září říjen/října listopad/listopadu prosinec/prosince",
        "pondělí úterý středa čtvrtek pátek sobota neděle",
    ),
    (  # Hungarian
        "január február március április május június július augusztus szeptember október november december",
        "hétfő kedd szerda csütörtök péntek szombat vasárnap",
    ),
    (  # Russian
        "январь/января февраль/февраля март/марта апрель/апреля май/мая июнь/июня июль/июля "
        "август/августа сентябрь/сентября октябрь/октября ноябрь/ноября декабрь/декабря",
        "понедельник вторник среда четверг пятница суббота воскресенье",
    ),
    (  # Ukrainian
        "січень/січня лютий/лютого березень/березня квітень/квітня травень/травня червень/червня "
        "липень/липня серпень/серпня вересень/вересня жовтень/жовтня листопад/листопада грудень/грудня",
        "понеділок вівторок середа четвер п’ятниця/п'ятниця субота неділя",
    ),
    (  # Turkish
        "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
        "pazartesi salı çarşamba perşembe cuma cumartesi pazar",
    ),
    (  # Chinese, Japanese and Korean have months of digits
        "",
        "星期一/周一/月曜日/月/월요일/월 星期二/周二/火曜日/火/화요일/화 星期三/周三/水曜日/水/수요일/수 "
        "星期四/周四/木曜日/木/목요일/목 星期五/周五/金曜日/金/금요일/금 星期六/周六/土曜日/土/토요일/토 "
        "星期日/星期天/周日/日曜日/日/일요일/일",
    ),
)
# Between the parts of a date, and no part of it; `quinta-feira` is one of Portuguese.
FILLERS = frozenset("de del d à a las le den der am um at on el i uhr h kl klo o о в г року feira".split())
# With the hours of half a day, behind them or before them.
FORENOON = ("am", "a.m.", "a. m.", "vormittags", "上午", "午前", "오전")
AFTERNOON = ("pm", "p.m.", "p. m.", "nachmittags", "下午", "午後", "오후")


def _numbers(column: int) -> dict[str, int]:
    """Return the numbers of the words of a column, from 0 on."""
    return {
        word: number
        for language in LANGUAGES
        for number, forms in enumerate(language[column].split())
        for word in forms.split("/")
    }


MONTHS, WEEKDAYS = _numbers(0), _numbers(1)
