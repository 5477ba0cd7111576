"""Timetables as people really save them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.booking.domain.rehearsal import BusySpan, ImportRules, KnownSession, rehearse
from src.booking.domain.timetable import Timetable
from src.booking.domain.timetable_columns import guess_columns
from src.booking.domain.timetable_file import parse_timetable
from src.platform.csvio import read_csv
from src.platform.errors import InvalidInput
from src.platform.ids import new_id

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
RULES = ImportRules(default_capacity=12, default_performer_id=None, performers={}, busy={})


def read(content: str | bytes) -> Timetable:
    raw = content.encode() if isinstance(content, str) else content
    return parse_timetable(raw, zone=ZONE, now=NOW)


def event(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"])


def calendar(*parts: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", ""])


FRAGMENTS = [
    "BEGIN:VEVENT",
    "END:VEVENT",
    "BEGIN:VALARM",
    "END:VALARM",
    "BEGIN:VTIMEZONE",
    "END:VTIMEZONE",
    "END:VCALENDAR",
    "TZID:Odd",
    "DTSTART;TZID=Odd:20270401T100000",
    "DTSTART:20270402T100000Z",
    "DTEND:20270402T110000Z",
    "DURATION:PT1H",
    "RRULE:FREQ=WEEKLY;COUNT=2",
    "RRULE:FREQ=DAILY;UNTIL=20270409",
    "EXDATE:20270402T100000Z,",
    "RDATE;VALUE=PERIOD:20270403T100000Z/PT1H",
    "RECURRENCE-ID:20270402T100000Z",
    "SUMMARY;X=:;:",
    " folded",
    "UID:1",
    ":",
]
YOGA = ("UID:y1", "SUMMARY:Yoga", "DTSTART;TZID=Europe/Amsterdam:20270323T183000", "DURATION:PT1H")


def test_a_weekly_event_keeps_its_wall_clock_over_the_change() -> None:
    found = read(calendar(event(*YOGA, "RRULE:FREQ=WEEKLY;COUNT=3")))
    local = [session.starts_at.astimezone(ZONE) for session in found.sessions]
    assert [f"{at:%d.%m. %H:%M}" for at in local] == [
        "23.03. 18:30",
        "30.03. 18:30",
        "06.04. 18:30",
    ]
    assert [session.starts_at.hour for session in found.sessions] == [17, 16, 16]


def test_left_out_moved_and_added_dates() -> None:
    found = read(
        calendar(
            event(
                *YOGA,
                "RRULE:FREQ=WEEKLY;COUNT=4",
                "EXDATE;TZID=Europe/Amsterdam:20270330T183000",
                "RDATE;TZID=Europe/Amsterdam:20270501T183000",
            ),
            event(
                "UID:y1",
                "SUMMARY:Yoga, later",
                "RECURRENCE-ID;TZID=Europe/Amsterdam:20270406T183000",
                "DTSTART;TZID=Europe/Amsterdam:20270406T193000",
                "DTEND;TZID=Europe/Amsterdam:20270406T203000",
            ),
        )
    )
    shown = [(f"{s.starts_at.astimezone(ZONE):%d.%m. %H:%M}", s.title) for s in found.sessions]
    assert shown == [
        ("23.03. 18:30", "Yoga"),
        ("06.04. 19:30", "Yoga, later"),
        ("13.04. 18:30", "Yoga"),
        ("01.05. 18:30", "Yoga"),
    ]
    assert len({session.uid for session in found.sessions}) == 4


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("UID:a", "SUMMARY:A", "DTSTART;VALUE=DATE:20270401"), "whole days"),
        (("UID:a", "SUMMARY:A", "DTSTART:20270401T100000Z"), "no end"),
        (("UID:a", "SUMMARY:A", "DTSTART:2027-04-01", "DURATION:PT1H"), "not a date"),
        (
            ("UID:a", "SUMMARY=broken", "DTSTART:20270401T100000Z", "DURATION:PT1H"),
            "cannot be read",
        ),
        (("UID:a", "SUMMARY:A", "DTSTART:20200401T100000Z", "DURATION:PT1H"), "over"),
        (("UID:a", "SUMMARY:A", "DTSTART:20350401T100000Z", "DURATION:PT1H"), "eighteen months"),
        (("UID:a", "DTSTART:20270401T100000Z", "DTEND:20270401T090000Z"), "end after"),
        (("UID:a", "STATUS:CANCELLED", "DTSTART:20270401T100000Z", "DURATION:PT1H"), "cancelled"),
        (
            ("UID:a", "DTSTART:20270401T100000Z", "DURATION:PT1H", "RRULE:FREQ=SECONDLY"),
            "cannot be read",
        ),
    ],
)
def test_one_bad_event_is_refused_with_its_reason_and_the_rest_goes_on(
    lines: tuple[str, ...], reason: str
) -> None:
    found = read(calendar(event(*lines), event(*YOGA)))
    assert [session.title for session in found.sessions] == ["Yoga"]
    assert [reason in row.reason for row in found.refused] == [True]


def test_an_endless_rule_is_read_as_far_as_imports_reach_and_says_so() -> None:
    found = read(calendar(event(*YOGA, "RRULE:FREQ=DAILY")))
    assert 400 < len(found.sessions) < 600
    assert "without end" in found.sessions[0].notes[0]


def test_an_unknown_zone_is_read_on_the_businesss_clock_with_a_warning() -> None:
    found = read(
        calendar(
            event("UID:m", "SUMMARY:M", "DTSTART;TZID=Mars/Base:20270401T100000", "DURATION:PT1H")
        )
    )
    [session] = found.sessions
    assert session.starts_at == datetime(2027, 4, 1, 8, 0, tzinfo=UTC)
    assert "Mars/Base" in session.notes[0]


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        (("RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;VALUE=DATE:20270330"), ["23", "06"]),
        (("SEQUENCE:2", "DESCRIPTION:one\u2028two\u0085three"), ["23"]),
        (("RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=WE",), ["23"]),
    ],
)
def test_oddities_that_programs_write(lines: tuple[str, ...], days: list[str]) -> None:
    found = read(calendar(event(*YOGA, *lines)))
    assert [f"{session.starts_at.astimezone(ZONE):%d}" for session in found.sessions] == days
    assert not found.refused


def test_the_newest_version_of_an_event_counts() -> None:
    moved = [line.replace("20270323", "20270324") for line in YOGA]
    found = read(calendar(event(*moved, "SEQUENCE:3"), event(*YOGA, "SEQUENCE:1"), event(*YOGA)))
    assert [session.starts_at.day for session in found.sessions] == [24]


@pytest.mark.parametrize("length", ["P999999999D", "P99999999999999W", "P-", "-PT1H", "PT0S"])
def test_a_senseless_length_is_refused(length: str) -> None:
    lines = [*YOGA[:3], f"DURATION:{length}"]
    found = read(calendar(event(*lines)))
    assert (len(found.sessions), len(found.refused)) == (0, 1)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20",
        "FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=300",
        "FREQ=WEEKLY;COUNT=99999999999999999999",
        "FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7,8,9,10,11,12;UNTIL=29991231",
        "FREQ=MINUTELY",
        "FREQ=DAILY;BYHOUR=99",
        "FREQ=WEEKLY;BYDAY=",
        "BYDAY",
        "FREQ=DAILY;" + "BYMONTH=1;" * 100,
    ],
)
def test_a_rule_meant_to_burn_time_costs_little(rule: str) -> None:
    events = [event(f"UID:{n}", *YOGA[1:], f"RRULE:{rule}") for n in range(3)]
    found = read(calendar(*events, event(*YOGA)))
    assert any(session.uid.startswith("y1|") for session in found.sessions)
    assert len(found.sessions) < 3 * 800


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25))
@settings(max_examples=60)
def test_any_heap_of_lines_is_read_or_refused(lines: list[str]) -> None:
    found = read("\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines]))
    for session in found.sessions:
        assert NOW < session.starts_at < session.ends_at


@pytest.mark.slow
def test_five_thousand_events_are_read() -> None:
    start = datetime(2027, 4, 1, 10, 0, tzinfo=UTC)
    events = [
        event(
            f"UID:{n}",
            f"SUMMARY:Class {n}",
            f"DTSTART:{start + timedelta(hours=n):%Y%m%dT%H%M%SZ}",
            "DURATION:PT45M",
        )
        for n in range(5000)
    ]
    assert len(read(calendar(*events)).sessions) == 5000


SHEET = "title;date;start;end;capacity;site\nPilates;2027-04-02;16:15:00;16:59:59;8;Hall\n"


@pytest.mark.parametrize(
    "content",
    [
        SHEET.encode(),
        b"\xef\xbb\xbf" + SHEET.encode(),
        SHEET.encode("utf-16"),
        SHEET.replace(";", "\t").encode(),
        SHEET.replace(";", ",").encode(),
    ],
)
def test_a_sheet_in_any_dialect_is_the_same_sheet(content: bytes) -> None:
    [session] = read(content).sessions
    assert (session.title, session.capacity, session.location_name) == ("Pilates", 8, "Hall")
    assert session.ends_at - session.starts_at == timedelta(minutes=45)
    assert "rounded" in session.notes[0]


@pytest.mark.parametrize(
    ("zone", "dates", "days", "noted"),
    [
        ("Europe/Amsterdam", ["04/05/2027"], ["04 May"], True),
        ("America/New_York", ["04/05/2027"], ["05 Apr"], True),
        ("Europe/Amsterdam", ["04/05/2027", "04/25/2027"], ["05 Apr", "25 Apr"], False),
        ("America/New_York", ["04/05/2027", "25/05/2027"], ["04 May", "25 May"], False),
    ],
)
def test_dates_with_slashes_are_meant_alike_in_the_whole_file(
    zone: str, dates: list[str], days: list[str], noted: bool
) -> None:
    rows = "".join(f"A,{day},10:00,11:00\n" for day in dates)
    found = parse_timetable(f"title,date,start,end\n{rows}".encode(), zone=ZoneInfo(zone), now=NOW)
    assert [f"{session.starts_at:%d %b}" for session in found.sessions] == days
    assert bool(found.notes) is noted


def test_windows_letters_survive() -> None:
    sheet = "title;date;start;end\nKüchenkurs für Anfänger;02.04.2027;16:15;17:00\n"
    [session] = read(sheet.encode("cp1252")).sessions
    assert session.title == "Küchenkurs für Anfänger"


def test_a_formula_is_text() -> None:
    [session] = read('title,date,start,end\n"=HYPERLINK(1)",2027-04-02,16:15,17:00\n').sessions
    assert session.title == "=HYPERLINK(1)"


def test_over_midnight_and_hours_in_columns() -> None:
    sheet = (
        "Course Title,Start Hour,Start Minute,End Hour,End Min,First Date,Last Date,DayOftheWeek\n"
        "Night swim,22,30,0,30,2027-04-01,2027-04-16,Friday\n"
    )
    found = read(sheet).sessions
    assert [f"{session.starts_at.astimezone(ZONE):%a %d %H:%M}" for session in found] == [
        "Fri 02 22:30",
        "Fri 09 22:30",
        "Fri 16 22:30",
    ]
    assert {session.ends_at - session.starts_at for session in found} == {timedelta(hours=2)}
    assert {session.notes for session in found} == {("It ends on the next day.",)}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A,soon,10:00,11:00,5", "not a date"),
        ("A,2027-04-02,noon,11:00,5", "not a time"),
        ("A,2027-04-02,10:00,11:00,many", "number of seats"),
        ("A,2027-04-02,10:00,11:00,0", "no place"),
        ("A,2020-04-02,10:00,11:00,5", "It is over."),
        ("A,2029-04-02,10:00,11:00,5", "It is more than eighteen months ahead."),
        ("A,2027-04-02,10:00,,5", "no end"),
        ("A,2027-04-02,25:00,26:00,5", "not a time"),
        ("A,2027-04-02,18:00,17:00,5", "end after it starts"),
        ("A,2027-04-02,18:00,18:00,5", "end after it starts"),
        ("A,2027-04-02,18:00,05:59,0", "no place"),
        ("A,2027-04-02,18:00,06:01,5", "end after it starts"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(row: str, reason: str) -> None:
    found = read(f"title,date,start,end,capacity\n{row}\nB,2027-04-03,10:00,11:00,5\n")
    assert [session.title for session in found.sessions] == ["B"]
    assert found.refused[0].row_ref == "line 2"
    assert reason in found.refused[0].reason


def test_a_row_whose_weekday_never_comes_is_not_called_over() -> None:
    sheet = "title,start,end,first date,last date,weekday\nA,10:00,11:00,%s,%s,Monday\n"
    found = read(sheet % ("2027-01-05", "2027-01-05"))
    assert not found.sessions
    assert [row.reason for row in found.refused] == [
        "Its weekday does not come between its first and its last date."
    ]


def test_what_is_refused_says_when_it_would_begin() -> None:
    table = read("date,start,end,capacity\n2027-04-02,10:00,11:00,x\nsoon,10:00,11:00,5\n")
    assert [row.starts_at for row in table.refused] == [datetime(2027, 4, 2, 8, tzinfo=UTC), None]
    over = read(calendar(event("UID:1", "DTSTART:20200401T100000Z", "DURATION:PT1H")))
    assert [row.starts_at for row in over.refused] == [datetime(2020, 4, 1, 10, tzinfo=UTC)]


@pytest.mark.parametrize(
    "headings",
    [
        "Datum;Beginn;Ende;Titel;Plätze;Lehrer",
        "Datum;Beginn;Ende;Titel;Pla\u0308tze;Lehrer",
        "Fecha;Inicio;Fin;Título;Plazas;Profesora",
        "date;début;fin;cours;capacité;enseignante",
        "datum;begintijd;eindtijd;les;plaatsen;docent",
        "data;od;do;zajęcia;miejsca;prowadząca",
    ],
)
def test_columns_are_found_by_their_names_in_other_languages(headings: str) -> None:
    found = read(f"{headings};Leer\n2027-04-02;10:00;11:00;Flow;12;Mira Moon;\n")
    [session] = found.sessions
    assert (session.title, session.capacity) == ("Flow", 12)
    assert session.performer_name == "Mira Moon"
    assert found.unused == ()


def test_columns_that_nothing_is_read_from_are_told() -> None:
    found = read("Datum;Von;Bis;Pensum;;Leer\n2027-04-02;10:00;11:00;12;Mira Moon;\n")
    assert found.unused == ("Pensum", "Column 5")


def test_a_moment_that_ends_before_it_starts_is_refused() -> None:
    found = read("starts_at,ends_at\n2027-04-02 18:00,2027-04-02 02:00\n")
    assert not found.sessions
    assert "end after it starts" in found.refused[0].reason


@pytest.mark.parametrize(
    ("sheet", "places", "headless"),
    [
        ("wann,von,bis,was\n5/4/2027,6pm,7pm,Yoga\n", ["date", "start", "end", "title"], False),
        ("when,name,code\n2027-04-02 10:00,Yoga,7\n", ["starts_at", "title"], False),
        ("2027-04-02,10:00,11:00,Yoga\n", ["date", "start", "end", "title"], True),
        ("date,von,length\n2027-04-02,10:00,45\n", ["date", "start", "duration"], False),
        ("a,b\n" + "2027-04-02,8\n" * 3 + "soon,9\n", ["date"], False),
        ("a,b\n1,2\n", [], False),
    ],
)
def test_columns_are_guessed_by_what_stands_in_them(
    sheet: str, places: list[str], headless: bool
) -> None:
    guess = guess_columns(read_csv(sheet.encode()))
    assert guess.headless is headless
    assert sorted(guess.places, key=lambda name: guess.places[name]) == places


def test_a_start_may_hold_its_day_as_well() -> None:
    sheet = "title;start;end;capacity\nYoga;2027-12-11 18:00;2027-12-11 19:00;12\n"
    guess = guess_columns(read_csv(sheet.encode()))
    assert sorted(guess.places) == ["capacity", "ends_at", "starts_at", "title"]
    [row] = read(sheet).sessions
    assert (f"{row.starts_at:%Y-%m-%d %H:%M}", row.ends_at - row.starts_at) == (
        "2027-12-11 17:00",
        timedelta(hours=1),
    )
    lasting = "title;start;end\nYoga;11.12.2027 18:00;19:00\n"
    guess = guess_columns(read_csv(lasting.encode()))
    assert sorted(guess.places) == ["end", "starts_at", "title"]


def test_a_file_without_days_is_refused_naming_its_columns() -> None:
    with pytest.raises(InvalidInput, match="colour, price"):
        read("colour,price\nred,5\n")


def test_the_same_file_again_finds_its_own_sessions() -> None:
    table = read(calendar(event(*YOGA, "RRULE:FREQ=WEEKLY;COUNT=3")))
    known = [
        KnownSession(new_id(), session.title, session.starts_at, session.uid)
        for session in table.sessions[:2]
    ]
    plan = rehearse(table, known, RULES)
    assert (len(plan.create), len(plan.already_there)) == (1, 2)
    assert plan.create[0].capacity == 12


def test_a_taken_performer_and_a_double_in_the_file_clash() -> None:
    ivan = new_id()
    sheet = (
        "title,date,start,end,instructor\n"
        "A,2027-04-02,10:00,11:00,Ivan\n"
        "A,2027-04-02,10:00,11:00,Ivan\n"
        "B,2027-04-02,10:30,11:30,ivan\n"
        "C,2027-04-02,11:00,12:00,Ivan\n"
    )
    lunch = BusySpan(
        datetime(2027, 4, 2, 9, 45, tzinfo=UTC), datetime(2027, 4, 2, 10, 30, tzinfo=UTC), "Lunch"
    )
    rules = ImportRules(
        default_capacity=5,
        default_performer_id=None,
        performers={"ivan": ivan},
        busy={ivan: [lunch]},
    )
    plan = rehearse(read(sheet), [], rules)
    assert [planned.proposed.title for planned in plan.create] == ["A"]
    reasons = [clash.reason for clash in plan.clashes]
    assert reasons == [
        "The same as line 2, which counts.",
        "Taken at that time: A.",
        "Taken at that time: Lunch.",
    ]


def test_of_one_session_in_many_rows_the_first_counts_whatever_the_others_add() -> None:
    heads = "title,date,start,end,instructor,capacity\n"
    rows = [f"Yoga,2027-04-02,10:00,11:00,Teacher {n},{n}\n" for n in range(1, 10)]
    sheet = read(heads + "".join(rows))
    assert [one.row_ref for one in sheet.sessions] == [f"line {n}" for n in range(2, 11)]
    plan = rehearse(sheet, [], RULES)
    assert [(one.proposed.performer_name, one.capacity) for one in plan.create] == [
        ("Teacher 1", 1)
    ]
    assert {clash.reason for clash in plan.clashes} == {"The same as line 2, which counts."}
    assert [clash.proposed.row_ref for clash in plan.clashes] == [f"line {n}" for n in range(3, 11)]


def test_equal_effect_equal_digest() -> None:
    table = read(calendar(event(*YOGA)))
    again = rehearse(table, [], RULES)
    other = rehearse(
        table, [KnownSession(new_id(), "Yoga", table.sessions[0].starts_at, None)], RULES
    )
    assert rehearse(table, [], RULES).digest == again.digest
    assert again.digest != other.digest
