"""The demo's data, loaded beside a running program: everything there is to show is in it."""

from collections.abc import Iterator
from typing import Any

import pytest

from src.sandbox.demo_data import load_demo_data
from src.sandbox.demo_people import LOTUS
from tests.support.program import Program, running_program

A_NIGHT = "interval '12 hours'"
OF_LOTUS = "JOIN tenants t ON t.id = tenant_id WHERE t.slug = $1"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running_program(tmp_path_factory.mktemp("program")) as running:
        running.run(lambda services: load_demo_data(services.settings))
        yield running


def states(program: Program, statement: str) -> dict[Any, int]:
    return {row[0]: row[1] for row in program.rows(statement, LOTUS.slug)}


@pytest.mark.slow
def test_everything_there_is_to_show_is_in_it(program: Program) -> None:
    """One test: loading it takes longer than all that is looked at."""
    a_class_is_just_over_and_one_is_about_to_begin(program)
    people_wait_and_one_of_them_has_an_offer(program)
    every_way_to_sell_and_to_decide_is_there(program)
    who_came_is_ticked_and_money_is_taken_and_owed(program)
    credits_are_sold_used_waited_for_and_given_back(program)
    vouchers_transfers_and_fees_are_about(program)
    nobody_bought_before_they_were_seen(program)


def a_class_is_just_over_and_one_is_about_to_begin(program: Program) -> None:
    """In the business's zone, whatever hour it is loaded at."""
    [row] = program.rows(
        f"""SELECT count(*) FILTER (WHERE ends_at BETWEEN now() - {A_NIGHT} AND now()) AS over,
        count(*) FILTER (WHERE starts_at BETWEEN now() AND now() + {A_NIGHT}) AS ahead
        FROM sessions {OF_LOTUS} AND seats_taken > 0""",
        LOTUS.slug,
    )
    assert row["over"] == 1
    assert row["ahead"] >= 1


def people_wait_and_one_of_them_has_an_offer(program: Program) -> None:
    of_lists = f"SELECT w.state, count(*) FROM waitlist_entries w {OF_LOTUS} GROUP BY w.state"
    assert states(program, of_lists) == {"offered": 1, "waiting": 2}
    [offer] = program.rows(
        f"SELECT expires_at > now() AS is_open FROM waitlist_offers o {OF_LOTUS}", LOTUS.slug
    )
    assert offer["is_open"]


def every_way_to_sell_and_to_decide_is_there(program: Program) -> None:
    [row] = program.rows(
        f"""SELECT bool_or(price_tiers <> '[]') AS tiers, bool_or(waitlist <> '{{}}') AS lists
        FROM services s {OF_LOTUS}""",
        LOTUS.slug,
    )
    assert row["tiers"]
    assert row["lists"]
    [series] = program.rows(
        f"""SELECT drop_in_allowed, drop_in_price_minor, drop_in_opens_before, price_tiers <> '[]'
        AS tiers FROM series s {OF_LOTUS}""",
        LOTUS.slug,
    )
    assert series["drop_in_allowed"]
    assert series["drop_in_price_minor"]
    assert series["drop_in_opens_before"]
    assert series["tiers"]
    assert states(program, f"SELECT code, used FROM coupons c {OF_LOTUS}") == {
        "WELCOME": 1,
        "FRIENDS": 0,
    }
    minimum = f"SELECT min_seats, 1 FROM sessions s {OF_LOTUS} AND min_seats IS NOT NULL"
    assert states(program, minimum) == {4: 1}
    asked = f"SELECT r.state, count(*) FROM leave_requests r {OF_LOTUS} GROUP BY r.state"
    assert states(program, asked) == {"open": 1}


def who_came_is_ticked_and_money_is_taken_and_owed(program: Program) -> None:
    seats = states(program, f"SELECT s.state, count(*) FROM seats s {OF_LOTUS} GROUP BY s.state")
    assert {"attended", "no_show", "confirmed"} <= seats.keys()
    assert seats["held"] == 2, "they wait for a transfer"
    [money] = program.rows(
        f"""SELECT bool_or(paid_minor = 0 AND total_minor > 0) AS owed,
        bool_or(payment_mode = 'online' AND paid_minor = total_minor) AS online
        FROM orders o {OF_LOTUS} AND o.state = 'confirmed'""",
        LOTUS.slug,
    )
    assert money["owed"]
    assert money["online"]


def credits_are_sold_used_waited_for_and_given_back(program: Program) -> None:
    """Lots in every state that an owner filters by, and one that a cancelled date gave."""
    packages = f"SELECT p.purpose, count(*) FROM packages p {OF_LOTUS} GROUP BY p.purpose"
    assert states(program, packages) == {"sale": 2, "refund": 1}
    [lots] = program.rows(
        f"""SELECT count(*) FILTER (WHERE c.state = 'pending') AS pending,
        count(*) FILTER (WHERE c.expires_at < now()) AS expired,
        count(*) FILTER (WHERE c.expires_at BETWEEN now() AND now() + interval '7 days') AS soon,
        count(*) FILTER (WHERE c.source = 'seat') AS given_back
        FROM credit_lots c {OF_LOTUS}""",
        LOTUS.slug,
    )
    assert dict(lots) == {"pending": 1, "expired": 1, "soon": 1, "given_back": 1}
    used = f"SELECT e.kind, count(*) FROM credit_entries e {OF_LOTUS} GROUP BY e.kind"
    assert states(program, used)["redeem"] == 4


def vouchers_transfers_and_fees_are_about(program: Program) -> None:
    left = f"SELECT v.state, v.balance_minor FROM vouchers v {OF_LOTUS} AND v.initial_minor = 5000"
    assert states(program, left) == {"active": 3500}
    awaited = f"SELECT o.payment_mode, o.total_minor FROM orders o {OF_LOTUS} AND o.state = 'open'"
    assert states(program, awaited) == {"transfer": 3000}
    assert states(program, f"SELECT f.state, f.amount_minor FROM fees f {OF_LOTUS}") == {
        "asked": 500
    }


def nobody_bought_before_they_were_seen(program: Program) -> None:
    early = program.rows(
        """SELECT c.email FROM customers c JOIN tenants t ON t.id = c.tenant_id
        JOIN orders o ON o.tenant_id = c.tenant_id AND o.customer_id = c.id
        WHERE t.slug = $1 AND o.created_at < c.created_at""",
        LOTUS.slug,
    )
    assert early == []
