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
    left_together,
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


def test_those_that_are_alike_stand_for_what_could_not_pay_by_itself() -> None:
    """Whoever is asked to name one of a kind cannot know which of them lasts until then."""
    good, twin = a_credit(), a_credit()
    alike = [
        a_credit(expires_at=NOW + timedelta(days=6)),
        a_credit(expires_at=NOW - timedelta(days=1)),
        a_credit(balance=0),
        a_credit(stored=LotState.VOID, balance=0),
    ]
    others = [
        a_credit(name="Another"),
        a_credit(scope=Scope(service_ids=frozenset({TARGET.service_id}))),
        a_credit(users=LotUsers(owner=True)),
        a_credit(source=LotSource.PACKAGE, granted=1),
        a_credit(source=LotSource.GOODWILL, granted=1),
    ]
    lots = {lot.id: lot for lot in add_up([good, *alike, *others, twin])}
    assert ids(pooled(lots[good.id], TARGET, NOW)) == [good.id, twin.id]
    for one in alike:
        pool = pooled(lots[one.id], TARGET, NOW)
        assert (pool.id, pool.balance, ids(pool)) == (good.id, 2, [good.id, twin.id])
    for one in others:
        pool = pooled(lots[one.id], TARGET, NOW)
        assert (pool.id, pool.balance, pool.parts) == (one.id, one.balance, ())


def test_one_that_is_left_stands_alone_for_those_alike_that_could_not_pay() -> None:
    over, good = a_credit(expires_at=NOW + timedelta(days=6)), a_credit()
    [lot, _good] = add_up([over, good])
    pool = pooled(lot, TARGET, NOW)
    assert (pool.id, pool.balance, pool.lot_ids) == (good.id, 1, {good.id})
    [alone] = add_up([over])
    assert pooled(alone, TARGET, NOW).id == over.id


def test_what_is_left_is_that_of_all_that_pay_together() -> None:
    late, soon = a_credit(), a_credit(expires_at=NOW + timedelta(days=10))
    spent, over = a_credit(balance=0), a_credit(expires_at=NOW - timedelta(days=1))
    bought = a_credit(source=LotSource.PACKAGE, balance=7, granted=7)
    left = left_together([late, spent, over, bought, soon], NOW)
    kind = frozenset({late.id, soon.id, spent.id, over.id})
    for lot in (late, soon, spent, over):
        assert left[lot.id] == (kind, 2, soon.expires_at)
    assert left[bought.id] == ({bought.id}, 7, bought.expires_at)


def test_a_choice_of_lots_names_those_that_pay_together_once() -> None:
    late, soon = a_credit(), a_credit(expires_at=NOW + timedelta(days=10))
    bought = a_credit(source=LotSource.PACKAGE, balance=7, granted=7)
    lots = [late, bought, soon]
    for starts_at in (None, NOW + timedelta(days=10)):
        shown = each_kind_once(lots, starts_at)
        assert [(lot.id, lot.balance) for lot in shown] == [(bought.id, 7), (soon.id, 2)]
    shown = each_kind_once(lots, NOW + timedelta(days=11))
    assert [(lot.id, lot.balance) for lot in shown] == [(late.id, 1), (bought.id, 7)]
    shown = each_kind_once(lots, NOW + timedelta(days=31))
    assert [(lot.id, lot.balance) for lot in shown] == [(bought.id, 7), (soon.id, 2)]
