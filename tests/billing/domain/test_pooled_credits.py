"""Credits that came back one by one, and pay together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from src.billing.domain.credits import (
    LotFacts,
    LotSource,
    LotState,
    Scope,
    Target,
    add_up,
    each_kind_once,
    pooled,
)
from src.billing.domain.lot_users import LotUsers
from src.platform.ids import new_id

NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
TARGET = Target(new_id(), frozenset(), NOW + timedelta(days=7))


def a_credit(**more: object) -> LotFacts:
    """One that came back for a place, and ends in a month."""
    lot = LotFacts(
        id=new_id(),
        stored=LotState.ACTIVE,
        name="Make-up class",
        balance=1,
        granted=0,
        expires_at=NOW + timedelta(days=30),
        created_at=NOW,
        scope=Scope(any_service=True),
        source=LotSource.SEAT,
    )
    return replace(lot, **more)  # type: ignore[arg-type]  # fields of it


def ids(lot: LotFacts) -> list[object]:
    return [part.id for part in lot.parts]


def test_the_one_that_is_asked_for_pays_first_and_then_those_that_end_first() -> None:
    late, soon = a_credit(), a_credit(expires_at=NOW + timedelta(days=10))
    middle = a_credit(expires_at=NOW + timedelta(days=20))
    for lot in add_up([late, middle, soon]):
        pool = pooled(lot, TARGET, NOW)
        others = [one.id for one in (soon, middle, late) if one.id != lot.id]
        assert [part.id for part in pool.parts] == [lot.id, *others]
        assert (pool.id, pool.balance, pool.expires_at) == (lot.id, 3, lot.expires_at)
        assert pool.lot_ids == {late.id, middle.id, soon.id}


def test_what_could_not_pay_by_itself_pays_for_nothing() -> None:
    good, twin = a_credit(), a_credit()
    others = [
        a_credit(name="Another"),
        a_credit(scope=Scope(service_ids=frozenset({TARGET.service_id}))),
        a_credit(users=LotUsers(owner=True)),
        a_credit(expires_at=NOW + timedelta(days=6)),
        a_credit(expires_at=NOW - timedelta(days=1)),
        a_credit(balance=0),
        a_credit(stored=LotState.VOID, balance=0),
        a_credit(source=LotSource.PACKAGE, granted=1),
        a_credit(source=LotSource.GOODWILL, granted=1),
    ]
    [lot, *rest] = add_up([good, *others, twin])
    assert ids(pooled(lot, TARGET, NOW)) == [good.id, twin.id]
    for one in rest[:-1]:
        pool = pooled(one, TARGET, NOW)
        assert (pool.id, pool.balance, pool.parts) == (one.id, one.balance, ())


def test_a_choice_of_lots_names_those_that_pay_together_once() -> None:
    late, soon = a_credit(), a_credit(expires_at=NOW + timedelta(days=10))
    bought = a_credit(source=LotSource.PACKAGE, balance=7, granted=7)
    shown = each_kind_once([late, bought, soon])
    assert [(lot.id, lot.balance) for lot in shown] == [(bought.id, 7), (soon.id, 2)]
