"""Single dates of a series: sold by their own rules, or by those of the series."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from src.billing.commands.orders import get_order
from src.booking.commands.drop_in import set_drop_in
from src.booking.commands.exchange import MoveSeats, NotMovable, move_seats
from src.booking.commands.series import get_series_command, update_series
from src.booking.commands.sessions import get_session
from src.booking.commands.term_copy import CopyTerm, copy_term
from src.booking.domain.drop_in import DropInRules, PayWay
from src.booking.domain.leaving import BeforeUnit
from src.booking.errors import NotBookable, PriceChanged
from src.booking.models import Session
from src.booking.queries.for_settings import lock_currency_by_prices
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput
from src.platform.ids import new_id
from src.platform.localtime import to_local
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.support.builders import Business, Term, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio

BOTH_WAYS = ["online", "on_site"]


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def a_run(uow_factory: UowFactory, business: Business, **rules: Any) -> Term:
    service = await a_service(uow_factory, business.id)
    return await a_series(uow_factory, service, **{"drop_in_allowed": True, **rules})


async def ruled(uow_factory: UowFactory, business: Business, session: Session, **own: Any) -> None:
    async with uow_factory(business.id) as uow:
        await set_drop_in(uow, business.ctx, session.id, DropInRules(**own))


async def mode_and_total(
    uow_factory: UowFactory, business: Business, session: Session, **more: Any
) -> tuple[str, int]:
    made = await booked(uow_factory, business, a_wish("session", session.id, **more))
    async with uow_factory(business.id) as uow:
        order = await get_order(uow, made.order_id)
    return order.payment_mode, order.total_minor


async def test_a_date_has_a_price_of_its_own(uow_factory: UowFactory, lotus: Business) -> None:
    first, second, _third = (await a_run(uow_factory, lotus, drop_in_price_minor=2200)).sessions
    await ruled(uow_factory, lotus, first, price_minor=900)
    assert await mode_and_total(uow_factory, lotus, first) == ("online", 900)
    assert await mode_and_total(uow_factory, lotus, second) == ("online", 2200)
    await ruled(uow_factory, lotus, first, price_minor=0)
    other = {"guest_email": "dora@example.com"}
    assert await mode_and_total(uow_factory, lotus, first, **other) == ("free", 0)


async def test_a_price_that_changed_while_the_form_was_filled_in_is_shown_first(
    uow_factory: UowFactory, lotus: Business
) -> None:
    first, *_rest = (await a_run(uow_factory, lotus)).sessions
    await ruled(uow_factory, lotus, first, price_minor=900)
    with pytest.raises(PriceChanged) as refused:
        await booked(uow_factory, lotus, a_wish("session", first.id, quoted_minor=1500))
    assert refused.value.total_minor == 900
    assert await seats_of(uow_factory, lotus.id) == []


async def test_one_date_is_sold_alone_and_another_is_not(
    uow_factory: UowFactory, lotus: Business
) -> None:
    first, second, third = (await a_run(uow_factory, lotus, drop_in_allowed=False)).sessions
    await ruled(uow_factory, lotus, first, allowed=True)
    await booked(uow_factory, lotus, a_wish("session", first.id))
    with pytest.raises(NotBookable) as refused:
        await booked(uow_factory, lotus, a_wish("session", second.id))
    assert refused.value.code == "drop_in_not_allowed"
    await ruled(uow_factory, lotus, third, allowed=False)
    with pytest.raises(NotBookable):
        await booked(uow_factory, lotus, a_wish("session", third.id))


async def test_single_places_open_at_the_same_time_so_many_days_before(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    term = await a_run(uow_factory, lotus, drop_in_opens_before=2, drop_in_opens_unit="days")
    first = term.sessions[0]
    zone = lotus.tenant.zone
    opens_at = first.starts_at - timedelta(days=2)
    assert to_local(opens_at, zone).time() == to_local(first.starts_at, zone).time()
    clock.advance(opens_at - clock.now() - timedelta(seconds=1))
    with pytest.raises(NotBookable) as refused:
        await booked(uow_factory, lotus, a_wish("session", first.id))
    assert refused.value.code == "drop_in_not_open"
    await booked(uow_factory, lotus, a_wish("series", term.series.id))
    clock.advance(timedelta(seconds=1))
    await booked(uow_factory, lotus, a_wish("session", first.id, guest_email="dora@example.com"))


async def test_a_date_that_opens_at_once_does_not_wait_for_its_series(
    uow_factory: UowFactory, lotus: Business
) -> None:
    first, second, _third = (await a_run(uow_factory, lotus, drop_in_opens_before=1)).sessions
    await ruled(uow_factory, lotus, first, opens_before=0)
    await booked(uow_factory, lotus, a_wish("session", first.id))
    with pytest.raises(NotBookable):
        await booked(uow_factory, lotus, a_wish("session", second.id))


async def test_an_exchange_is_no_way_around_the_opening(
    uow_factory: UowFactory, lotus: Business
) -> None:
    leaving = {"moves_before": 1, "moves_unit": "hours"}
    service = await a_service(uow_factory, lotus.id, price_type="on_site", leaving=leaving)
    term = await a_series(uow_factory, service, drop_in_allowed=True)
    first, second, third = term.sessions
    await ruled(uow_factory, lotus, second, opens_before=1)
    made = await booked(uow_factory, lotus, a_wish("session", first.id))
    [seat] = await seats_of(uow_factory, lotus.id)

    async def moved(session: Session) -> None:
        cmd = MoveSeats(order_id=made.order_id, seat_ids=[seat.id], session_id=session.id)
        async with uow_factory(lotus.id) as uow:
            await move_seats(uow, lotus.tenant, cmd)

    with pytest.raises(NotMovable) as refused:
        await moved(second)
    assert refused.value.code == "not_offered"
    await moved(third)


async def test_guests_choose_among_the_valid_ways_to_pay(
    uow_factory: UowFactory, lotus: Business
) -> None:
    first, *_rest = (await a_run(uow_factory, lotus, drop_in_pays=BOTH_WAYS)).sessions
    assert await mode_and_total(uow_factory, lotus, first) == ("online", 1500)
    chosen = {"way": PayWay.ON_SITE, "guest_email": "dora@example.com"}
    assert await mode_and_total(uow_factory, lotus, first, **chosen) == ("on_site", 1500)


@pytest.mark.parametrize("way", [PayWay.ONLINE, PayWay.CREDIT])
async def test_a_way_that_is_not_valid_is_refused_at_its_field(
    uow_factory: UowFactory, lotus: Business, way: PayWay
) -> None:
    first, *_rest = (await a_run(uow_factory, lotus)).sessions
    await ruled(uow_factory, lotus, first, pays=(PayWay.ON_SITE,))
    with pytest.raises(InvalidInput) as refused:
        await booked(uow_factory, lotus, a_wish("session", first.id, way=way))
    assert list(refused.value.fields) == ["way"]
    assert await seats_of(uow_factory, lotus.id) == []
    assert await mode_and_total(uow_factory, lotus, first) == ("on_site", 1500)


async def test_a_series_and_a_loose_date_are_paid_as_they_say(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, price_type="on_site")
    term = await a_series(uow_factory, service)
    loose = await a_session(uow_factory, service)
    for kind, subject_id, way in (
        ("series", term.series.id, PayWay.ON_SITE),
        ("session", loose.id, PayWay.ONLINE),
    ):
        with pytest.raises(InvalidInput) as refused:
            await booked(uow_factory, lotus, a_wish(kind, subject_id, way=way))
        assert list(refused.value.fields) == ["way"]


async def test_without_a_payment_account_the_other_way_is_sold(uow_factory: UowFactory) -> None:
    bare = await a_business(uow_factory, "bare", payments_ready=False)
    first, second, _third = (await a_run(uow_factory, bare, drop_in_pays=BOTH_WAYS)).sessions
    assert await mode_and_total(uow_factory, bare, first) == ("on_site", 1500)
    with pytest.raises(InvalidInput):
        await booked(uow_factory, bare, a_wish("session", second.id, way=PayWay.ONLINE))
    await ruled(uow_factory, bare, second, pays=(PayWay.ONLINE,))
    with pytest.raises(NotBookable) as refused:
        await booked(uow_factory, bare, a_wish("session", second.id))
    assert refused.value.code == "payments_not_ready"


@pytest.mark.parametrize(
    ("own", "field"),
    [
        ({"price_minor": -1}, "drop_in_price"),
        ({"price_minor": 49}, "drop_in_price"),
        ({"price_minor": 2_000_000_000}, "drop_in_price"),
        ({"opens_before": 400}, "drop_in_opens_before"),
        ({"pays": (PayWay.TRANSFER,)}, "drop_in_pays"),
    ],
)
async def test_rules_that_cannot_be_are_refused(
    uow_factory: UowFactory, lotus: Business, own: dict[str, Any], field: str
) -> None:
    first, *_rest = (await a_run(uow_factory, lotus)).sessions
    with pytest.raises(InvalidInput) as refused:
        await ruled(uow_factory, lotus, first, **own)
    assert list(refused.value.fields) == [field]


async def test_a_small_price_may_be_paid_on_site(uow_factory: UowFactory, lotus: Business) -> None:
    first, *_rest = (await a_run(uow_factory, lotus)).sessions
    await ruled(uow_factory, lotus, first, price_minor=49, pays=(PayWay.ON_SITE,))
    assert await mode_and_total(uow_factory, lotus, first) == ("on_site", 49)


async def test_a_date_without_a_series_and_a_cancelled_one_have_no_rules(
    uow_factory: UowFactory, lotus: Business
) -> None:
    term = await a_run(uow_factory, lotus)
    async with uow_factory(lotus.id) as uow:
        await uow.session.execute(
            update(Session).where(Session.id == term.sessions[1].id).values(state="cancelled")
        )
        await uow.session.execute(
            update(Session).where(Session.id == term.sessions[2].id).values(series_id=None)
        )
    for session, code in ((term.sessions[1], "not_scheduled"), (term.sessions[2], "not_in_series")):
        with pytest.raises(Conflict) as refused:
            await ruled(uow_factory, lotus, session, price_minor=900)
        assert refused.value.code == code


async def test_a_date_that_leaves_its_series_leaves_its_rules_there(
    uow_factory: UowFactory, lotus: Business
) -> None:
    term = await a_run(uow_factory, lotus)
    last = term.sessions[-1]
    await ruled(uow_factory, lotus, last, price_minor=900, opens_before=1, allowed=False)
    async with uow_factory(lotus.id) as uow:
        cmd = await get_series_command(uow, term.series.id)
        kept = tuple(session.id for session in term.sessions[:-1])
        fewer = msgspec.structs.replace(cmd, session_ids=kept)
        await update_series(uow, lotus.ctx, term.series.id, fewer)
    async with uow_factory(lotus.id) as uow:
        session = await get_session(uow, last.id)
        assert (session.drop_in_price_minor, session.drop_in_allowed) == (None, None)
        assert session.drop_in_opens_before is None
    assert await mode_and_total(uow_factory, lotus, last) == ("online", 1500)


async def test_a_copied_term_keeps_the_rules_of_its_dates(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    term = await a_run(uow_factory, lotus, drop_in_opens_before=36, drop_in_opens_unit="hours")
    await ruled(uow_factory, lotus, term.sessions[0], price_minor=900, pays=(PayWay.ON_SITE,))
    copy_id = new_id()
    first_on = to_local(clock.now(), lotus.tenant.zone).date() + timedelta(days=60)
    async with uow_factory(lotus.id) as uow:
        cmd = CopyTerm(series_id=term.series.id, new_id=copy_id, title="Again", first_on=first_on)
        await copy_term(uow, lotus.ctx, cmd)
    async with uow_factory(lotus.id) as uow:
        copied = await get_series_command(uow, copy_id)
        assert (copied.drop_in_opens_before, copied.drop_in_opens_unit) == (36, BeforeUnit.HOURS)
        runs = [await get_session(uow, session_id) for session_id in copied.session_ids]
        first = min(runs, key=lambda run: run.starts_at)
        assert (first.drop_in_price_minor, first.drop_in_pays) == (900, ["on_site"])


async def test_a_price_of_a_date_holds_the_currency(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, price_type="free", price_minor=0)
    term = await a_series(uow_factory, service, price_type="free", price_minor=0)
    async with uow_factory(lotus.id) as uow:
        assert await lock_currency_by_prices(uow) is None
    own = {"price_minor": 900, "pays": (PayWay.ON_SITE,)}
    await ruled(uow_factory, lotus, term.sessions[0], **own)
    async with uow_factory(lotus.id) as uow:
        assert await lock_currency_by_prices(uow)


async def test_a_small_price_of_the_service_cannot_be_paid_online_either(
    uow_factory: UowFactory, lotus: Business
) -> None:
    small = {"key": "child", "name": "Child", "price_minor": 20}
    service = await a_service(uow_factory, lotus.id, price_type="on_site", price_tiers=[small])
    term = await a_series(uow_factory, service, drop_in_allowed=True)
    with pytest.raises(InvalidInput) as refused:
        await ruled(uow_factory, lotus, term.sessions[0], pays=(PayWay.ONLINE,))
    assert list(refused.value.fields) == ["drop_in_price"]
    await ruled(uow_factory, lotus, term.sessions[0], pays=(PayWay.ONLINE,), price_minor=900)
