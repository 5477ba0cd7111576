from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from src.billing.domain.methods import METHODS, methods_for, page_methods, unknown_methods
from src.billing.domain.transfers import (
    TransferTerms,
    due_at,
    due_on_error,
    read_bic,
    read_iban,
    reminded_at,
    spaced_iban,
    transfer_due_on,
    transfer_errors,
)
from src.billing.giro_code import giro_code

ZONE = ZoneInfo("Europe/Amsterdam")
TERMS = TransferTerms(holder="Lotus Yoga", iban="DE89370400440532013000")
NOON = datetime(2027, 3, 1, 11, 0, tzinfo=UTC)


def due_on(first_at: datetime | None, terms: TransferTerms = TERMS) -> date | None:
    return transfer_due_on(terms, NOON, first_at, ZONE)


def test_the_money_has_its_days_and_is_there_before_the_first_date() -> None:
    assert due_on(None) == date(2027, 3, 8)
    assert due_on(NOON + timedelta(days=30)) == date(2027, 3, 8)
    assert due_on(NOON + timedelta(days=6)) == date(2027, 3, 5)
    assert due_on(NOON + timedelta(days=4)) == date(2027, 3, 3)


def test_what_starts_too_soon_cannot_be_paid_so() -> None:
    assert due_on(NOON + timedelta(days=3)) is None
    at_once = msgspec.structs.replace(TERMS, lead_days=0)
    assert due_on(NOON + timedelta(days=3), at_once) == date(2027, 3, 3)


def test_the_last_day_ends_on_the_businesss_own_clock_also_when_clocks_change() -> None:
    late = datetime(2027, 3, 1, 23, 30, tzinfo=UTC)
    assert transfer_due_on(TERMS, late, None, ZONE) == date(2027, 3, 9)
    assert due_at(date(2027, 3, 27), ZONE) == datetime(2027, 3, 27, 23, tzinfo=UTC)
    assert due_at(date(2027, 3, 28), ZONE) == datetime(2027, 3, 28, 22, tzinfo=UTC)


def test_who_has_little_time_is_reminded_half_way() -> None:
    week, short = NOON + timedelta(days=7), NOON + timedelta(days=2)
    assert reminded_at(NOON, week) == NOON + timedelta(days=5)
    assert reminded_at(NOON, short) == NOON + timedelta(days=1)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("DE89370400440532013001", None),
        ("DE8937040044053201300", None),
        ("Lotus", None),
        ("", None),
    ],
)
def test_an_iban_is_read_as_people_write_it(typed: str, read: str | None) -> None:
    assert read_iban(typed) == read


def test_a_bic_is_read_and_an_iban_shown_in_groups() -> None:
    assert read_bic("coba deff xxx") == "COBADEFFXXX"
    assert read_bic("COBA") is None
    assert spaced_iban(TERMS.iban) == "DE89 3704 0044 0532 0130 00"


def test_terms_are_refused_at_their_fields() -> None:
    assert transfer_errors(TERMS) == {}
    wrong = TransferTerms(holder="", iban="DE00", bic="X", days=1, lead_days=0, text="x" * 2000)
    assert transfer_errors(wrong).keys() == {"holder", "iban", "bic", "days", "lead_days", "text"}


def test_nobody_waits_past_the_start_nor_for_yesterday() -> None:
    today = date(2027, 3, 1)
    first_at = NOON + timedelta(days=10)
    assert due_on_error(date(2027, 3, 10), today, TERMS, first_at, ZONE) is None
    for day in (date(2027, 2, 28), date(2027, 3, 11), date(2027, 6, 1)):
        assert due_on_error(day, today, TERMS, first_at, ZONE) is not None
    assert due_on_error(date(2027, 4, 1), today, TERMS, None, ZONE) is None


def test_a_giro_code_is_drawn_for_euros_only() -> None:
    assert giro_code(TERMS, 2400, "EUR", "ABC-123").startswith("<svg")
    assert giro_code(TERMS, 2400, "CHF", "ABC-123") == ""
    assert giro_code(TERMS, 0, "EUR", "ABC-123") == ""


def test_the_page_takes_cards_and_what_was_chosen_and_fits_the_currency() -> None:
    assert page_methods([], "EUR") == ["card"]
    assert page_methods(["ideal", "paypal", "carrier_pigeon"], "EUR") == ["card", "paypal", "ideal"]
    assert page_methods(["ideal", "paypal"], "INR") == ["card"]
    assert unknown_methods(["paypal", "ideal"], "CHF") == ["ideal"]
    assert "sepa_debit" not in METHODS
    assert methods_for("INR") == ["link"]
