"""The terms for leaving a date in sentences that are true when they are read."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from src.billing.models import Order
from src.booking.domain.drop_in import PayWay
from src.booking.domain.fees import FeeRule
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.leaving import BeforeUnit, LeavingTerms, Tier
from src.booking.domain.quiet_hours import QuietHours
from src.booking.domain.refund_policy import Gives
from src.booking.leaving_words import (
    by_way_in_words,
    dates_in_words,
    next_deadline_words,
    rules_in_words,
)
from src.booking.paying import Paying, paying_of

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
START = datetime(2027, 5, 11, 16, tzinfo=UTC)
TERMS = LeavingTerms(tiers=(Tier(before=72, percent=100), Tier(before=48, percent=50)))
TO_THE_START = LeavingTerms(tiers=(Tier(before=24, percent=100), Tier(before=0, percent=50)))
ONLINE, ON_SITE = SeriesPriceType.ONLINE, SeriesPriceType.ON_SITE
FIVE, HALF = FeeRule(amount_minor=500, currency="EUR"), FeeRule(percent=50)
LATE_AND_OWED = "Who cancels later than that is asked for a fee of €5.00 as well as the price."
FULL_STEP = "Cancel until Sat, May 8, 2027, 6:00\u202fPM: all that you paid for it comes back."
HALF_STEP = "Cancel until Sun, May 9, 2027, 6:00\u202fPM: half of what you paid for it comes back."
LATER = "Later than that you can still cancel, but nothing comes back."
NOTHING = "You can cancel until it starts, but nothing comes back."
NO_MONEY = "You can cancel until it starts, but no money comes back."
STAYS_DUE = "You can cancel until it starts, but the price stays due."


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (100, [FULL_STEP, HALF_STEP, LATER]),
        (72, [FULL_STEP, HALF_STEP, LATER]),
        (71, [HALF_STEP, LATER]),
        (47, [NO_MONEY]),
    ],
)
def test_a_date_lists_no_step_that_has_passed(hours: int, said: list[str]) -> None:
    now = START - timedelta(hours=hours)
    assert dates_in_words(TERMS, ONLINE, START, AMSTERDAM, now) == said
    assert dates_in_words(TERMS, ONLINE, START, AMSTERDAM) == [FULL_STEP, HALF_STEP, LATER]


def test_on_site_the_price_stays_due_once_the_last_step_has_passed() -> None:
    now = START - timedelta(hours=47)
    assert dates_in_words(TERMS, ON_SITE, START, AMSTERDAM, now) == [STAYS_DUE]


def test_a_step_of_no_hours_ends_with_the_start_and_nothing_comes_later() -> None:
    assert rules_in_words(TO_THE_START, ONLINE, AMSTERDAM) == [
        "Cancel up to 24 hours before a date: all that you paid for it comes back.",
        "Cancel until a date starts: half of what you paid for it comes back.",
    ]
    dates = dates_in_words(TO_THE_START, ONLINE, START, AMSTERDAM)
    assert dates[1:] == ["Cancel until it starts: half of what you paid for it comes back."]
    free = ["You can cancel a date free of charge until it starts."]
    assert rules_in_words(TO_THE_START, ON_SITE, AMSTERDAM, START) == free
    free = ["You can cancel free of charge until it starts."]
    assert dates_in_words(TO_THE_START, ON_SITE, START, AMSTERDAM) == free


@pytest.mark.parametrize(
    ("hours", "place", "until"), [(72, 1, "Sat, May 8"), (71, 2, "Sun, May 9"), (47, None, "")]
)
def test_the_example_is_of_the_first_step_that_lies_ahead(
    hours: int, place: int | None, until: str
) -> None:
    now = START - timedelta(hours=hours)
    said = rules_in_words(TERMS, ONLINE, AMSTERDAM, START, now)
    places = [position for position, sentence in enumerate(said) if "that is until" in sentence]
    assert places == ([] if place is None else [place])
    assert until in "".join(said[position] for position in places)


def test_of_two_ways_to_pay_each_has_its_own_terms_and_the_rest_once() -> None:
    assert by_way_in_words(["Half.", "Same."], ["Free.", "Same."]) == [
        "Paid by card: Half.",
        "Paid on site: Free.",
        "Same.",
    ]


def test_quiet_hours_are_part_of_the_rule_and_of_its_example() -> None:
    """A class at nine: twelve hours before it, the night left out, are eleven in the morning."""
    night, nine = QuietHours(begins=22, ends=8), datetime(2027, 5, 12, 7, tzinfo=UTC)
    terms = LeavingTerms(tiers=(Tier(before=12, percent=100),), quiet_hours=night)
    said = rules_in_words(terms, ONLINE, AMSTERDAM, nine)
    assert said[1].endswith("that is until Tue, May 11, 2027, 11:00\u202fAM.")
    assert said[-1] == "Hours between 10:00\u202fPM and 8:00\u202fAM are not counted."
    owed = rules_in_words(terms, ON_SITE, AMSTERDAM, nine)
    assert owed[-1] == said[-1]
    free = rules_in_words(terms, SeriesPriceType.FREE, AMSTERDAM, nine)
    assert free == ["You can cancel a date until it starts."], "no deadline, no hours"
    by_day = LeavingTerms(
        tiers=(Tier(before=1, unit=BeforeUnit.DAYS, percent=100),), quiet_hours=night
    )
    ten = "10:00\u202fPM"
    moved = f"A deadline between {ten} and 8:00\u202fAM moves to the {ten} before it."
    assert rules_in_words(by_day, ONLINE, AMSTERDAM)[-1] == moved


def test_where_nothing_comes_back_no_step_promises_money() -> None:
    """The steps stay, for they say who is late."""
    terms = LeavingTerms(tiers=TERMS.tiers, gives=Gives.NOTHING)
    now = START - timedelta(hours=100)
    nothing = "You can cancel until it starts, but nothing comes back."
    assert dates_in_words(terms, ONLINE, START, AMSTERDAM, now) == [nothing]
    assert rules_in_words(terms, ONLINE, AMSTERDAM, START, now)[0] == nothing
    assert next_deadline_words(terms, ONLINE, START, AMSTERDAM, now) == ""


def test_where_nothing_comes_back_the_price_on_site_stays_due_for_who_is_late() -> None:
    terms = LeavingTerms(tiers=TERMS.tiers, gives=Gives.NOTHING)
    kept = "What is paid by then does not come back."
    now = START - timedelta(hours=100)
    until, also = dates_in_words(terms, ON_SITE, START, AMSTERDAM, now)
    assert "free of charge until Sun, May 9, 2027" in until
    assert also == kept
    late = dates_in_words(terms, ON_SITE, START, AMSTERDAM, START - timedelta(hours=1))
    assert late == [STAYS_DUE, kept]
    assert kept in rules_in_words(terms, ON_SITE, AMSTERDAM, START, now)


@pytest.mark.parametrize(
    ("gives", "price_type", "hours", "said"),
    [
        (
            Gives.MONEY,
            ONLINE,
            48,
            "Who cancels later than that is asked for a fee of €5.00.",
        ),
        (Gives.MONEY, ON_SITE, 48, LATE_AND_OWED),
        (Gives.NOTHING, ON_SITE, 48, LATE_AND_OWED),
        (
            Gives.NOTHING,
            ONLINE,
            48,
            "Who cancels later than 48 hours before it starts is asked for a fee of €5.00.",
        ),
        (
            Gives.NOTHING,
            ONLINE,
            0,
            "Who cancels after it has started is asked for a fee of €5.00.",
        ),
        (
            Gives.CREDIT,
            SeriesPriceType.FREE,
            48,
            "Who cancels later than that is asked for a fee of €5.00.",
        ),
    ],
)
def test_a_fee_says_from_when_it_is_asked_and_beside_what(
    gives: Gives, price_type: SeriesPriceType, hours: int, said: str
) -> None:
    terms = LeavingTerms(tiers=(Tier(before=hours, percent=100),), late_fee=FIVE, gives=gives)
    assert dates_in_words(terms, price_type, START, AMSTERDAM)[-1] == said
    assert rules_in_words(terms, price_type, AMSTERDAM)[-1] == said


@pytest.mark.parametrize(
    ("price_type", "said"),
    [
        (ONLINE, "Who cancels is asked for a fee of €5.00."),
        (ON_SITE, "Who cancels is asked for a fee of €5.00 as well as the price."),
    ],
)
def test_a_fee_without_a_step_that_gives_anything_is_asked_of_everybody(
    price_type: SeriesPriceType, said: str
) -> None:
    terms = LeavingTerms(tiers=(Tier(before=24, percent=0),), late_fee=FIVE)
    assert dates_in_words(terms, price_type, START, AMSTERDAM)[-1] == said


def test_who_pays_with_a_credit_reads_what_is_asked_of_them_and_no_part_of_a_price() -> None:
    """A credit has no price: a part of it is asked of nobody."""
    free = SeriesPriceType.FREE
    tiers = (Tier(before=24, percent=100),)
    fixed = LeavingTerms(tiers=tiers, late_fee=FIVE, no_show_fee=FIVE, gives=Gives.CREDIT)
    said = dates_in_words(fixed, free, START, AMSTERDAM)
    assert sum("€5.00" in one for one in said) == 2
    part = LeavingTerms(tiers=tiers, late_fee=HALF, no_show_fee=HALF, gives=Gives.CREDIT)
    assert not any("fee" in one for one in dates_in_words(part, free, START, AMSTERDAM))
    plain = LeavingTerms(tiers=tiers, late_fee=FIVE, no_show_fee=FIVE)
    assert dates_in_words(plain, free, START, AMSTERDAM) == ["You can cancel until it starts."]


def test_a_credit_that_comes_back_late_too_is_not_said_to_be_lost() -> None:
    tiers = (Tier(before=24, percent=100),)
    terms = LeavingTerms(tiers=tiers, gives=Gives.CREDIT, late_keeps_credit=True)
    assert dates_in_words(terms, SeriesPriceType.FREE, START, AMSTERDAM) == [
        "Cancel until Mon, May 10, 2027, 6:00\u202fPM: your credit comes back.",
        "A credit comes back even if you cancel late.",
    ]
    late = dates_in_words(terms, SeriesPriceType.FREE, START, AMSTERDAM, START)
    assert late == ["A credit comes back even if you cancel late."]


def test_who_pays_with_a_credit_that_never_comes_back_reads_so_and_of_the_fee() -> None:
    terms = LeavingTerms(
        tiers=(Tier(before=24, percent=100),), gives=Gives.NOTHING, late_fee=FIVE, no_show_fee=HALF
    )
    nothing = "You can cancel until it starts, but nothing comes back."
    fee = "Who cancels later than 24 hours before it starts is asked for a fee of €5.00."
    assert dates_in_words(terms, PayWay.CREDIT, START, AMSTERDAM) == [nothing, fee]
    assert rules_in_words(terms, PayWay.CREDIT, AMSTERDAM) == [nothing, fee]
    assert next_deadline_words(terms, PayWay.CREDIT, START, AMSTERDAM, START) == ""


@pytest.mark.parametrize(("price_type", "said"), [(ONLINE, NOTHING), (ON_SITE, STAYS_DUE)])
def test_who_pays_money_reads_of_no_credit_once_none_is_to_be_had(
    price_type: Paying, said: str
) -> None:
    terms = LeavingTerms(tiers=(Tier(before=24, percent=100),), gives=Gives.PACKAGE)
    late = START - timedelta(hours=23)
    assert dates_in_words(terms, price_type, START, AMSTERDAM, late) == [said]


@pytest.mark.parametrize(
    ("gives", "price_type", "said"),
    [
        (Gives.MONEY, ONLINE, [NO_MONEY, "Who cancels now is asked for a fee of €5.00."]),
        (
            Gives.MONEY,
            ON_SITE,
            [STAYS_DUE, "Who cancels now is asked for a fee of €5.00 as well as the price."],
        ),
        (
            Gives.CREDIT,
            PayWay.CREDIT,
            [
                "You can cancel until it starts, but no credit comes back.",
                "Who cancels now is asked for a fee of €5.00.",
            ],
        ),
        (
            Gives.NOTHING,
            ONLINE,
            [
                "You can cancel until it starts, but nothing comes back.",
                "Who cancels now is asked for a fee of €5.00.",
            ],
        ),
    ],
)
def test_once_it_is_late_the_fee_is_asked_of_who_cancels_now(
    gives: Gives, price_type: Paying, said: list[str]
) -> None:
    terms = LeavingTerms(tiers=(Tier(before=24, percent=100),), gives=gives, late_fee=FIVE)
    late = START - timedelta(hours=23)
    assert dates_in_words(terms, price_type, START, AMSTERDAM, late) == said
    in_time = dates_in_words(terms, price_type, START, AMSTERDAM, START - timedelta(hours=24))
    assert "Who cancels later than" in in_time[-1], "at the very second the guest wins"


@pytest.mark.parametrize(
    ("order", "paying"),
    [
        ({"payment_mode": "credit", "total_minor": 0}, PayWay.CREDIT),
        ({"payment_mode": "free", "total_minor": 0}, SeriesPriceType.FREE),
        ({"payment_mode": "online"}, ONLINE),
        ({"payment_mode": "transfer"}, ONLINE),
        ({"payment_mode": "on_site"}, ON_SITE),
        ({"payment_mode": "on_site", "paid_minor": 1500}, ONLINE),
        ({"payment_mode": "on_site", "paid_minor": 700}, ONLINE),
        ({"payment_mode": "on_site", "paid_minor": 700, "voucher_minor": 700}, ON_SITE),
        ({"payment_mode": "on_site", "paid_minor": 1500, "voucher_minor": 1500}, ONLINE),
    ],
)
def test_what_was_taken_on_site_is_spoken_of_as_paid(
    order: dict[str, object], paying: Paying
) -> None:
    """After a part was cancelled before it was paid, less than the total is all of it."""
    values = {"total_minor": 1500, "paid_minor": 0, "voucher_minor": 0, **order}
    assert paying_of(Order(**values)) is paying


def test_late_is_said_before_the_deadlines_of_anything_but_cancelling() -> None:
    """Between them, "later than that" would be later than the last moment to hand on."""
    terms = LeavingTerms(
        tiers=(Tier(before=21, unit=BeforeUnit.DAYS, percent=100),),
        moves_before=5,
        hand_on_before=2,
        late_fee=FIVE,
        no_show_fee=FIVE,
    )
    now = START - timedelta(days=40)
    rules = rules_in_words(terms, ONLINE, AMSTERDAM, START, now)
    dates = dates_in_words(terms, ONLINE, START, AMSTERDAM, now)
    for said in (rules, dates):
        fee = next(place for place, one in enumerate(said) if "later than that is asked" in one)
        other = [place for place, one in enumerate(said) if "exchange" in one or "give your" in one]
        assert len(other) == 2
        assert fee < min(other), said
        assert said[fee - 1].startswith("Later than that you can still cancel")
