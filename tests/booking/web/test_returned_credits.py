"""Credits that came back one by one, and pay together: what is offered of them, and said after."""

from datetime import timedelta
from uuid import UUID

import pytest

from src.billing.domain.credits import LotSource
from src.billing.models import CreditLot
from src.booking.models import Seat
from src.booking.queries.wish_credits import key_of_lot
from src.platform.ids import new_id
from tests.booking.web.conftest import Shop, rows, subject
from tests.booking.web.pages import as_owner, send
from tests.booking.web.test_credit_choice import chosen
from tests.booking.web.test_guest_credits import a_date, carl_with
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot
from tests.support.mail import RememberingMailer

pytestmark = pytest.mark.anyio


async def came_back(shop: Shop, clock: FrozenClock, *days: int) -> list[UUID]:
    """Of Carl, who is signed in: one for each number of days that it still lasts."""
    lots = []
    for lasting in days:
        expires_at = clock.now() + timedelta(days=lasting)
        _carl, lot_id = await carl_with(
            shop,
            1,
            source=LotSource.SEAT,
            source_seat_id=new_id(),
            bought=0,
            paid_minor=0,
            expires_at=expires_at,
        )
        lots.append(lot_id)
    return lots


async def test_what_ends_first_pays_first_though_one_of_its_kind_ends_last(
    shop: Shop, clock: FrozenClock
) -> None:
    date = await a_date(shop)
    first, _late = await came_back(shop, clock, 10, 30)
    between = clock.now() + timedelta(days=20)
    await a_lot(shop.services.uow_factory, shop.business.id, number=8, expires_at=between)
    form = (await shop.guest.open(subject("session", date.id))).text
    assert form.index("Use 1 of 2 left") < form.index("Use 1 of 8 left")
    assert chosen(form) == key_of_lot(first)
    assert (await shop.send()).status_code == 303
    [seat] = await rows(shop, Seat)
    assert seat.credit_lot_id == first


async def test_staff_use_those_that_last_where_the_first_of_the_kind_does_not(
    shop: Shop, clock: FrozenClock
) -> None:
    date = await a_date(shop)
    over, lasting = await came_back(shop, clock, 5, 30)
    carl = (await rows(shop, CreditLot))[0].customer_id
    client = shop.guest.client
    await as_owner(client, shop.services, shop.business)
    book = f"/app/lotus/customers/{carl}/book?what=session:{date.id}"
    page = (await client.get(book)).text
    assert page.count('value="credit:') == 1
    assert "1 credit is left." in page
    # As from a page that was opened when another of them stood for the kind.
    done = await send(client, book, {"pays": f"credit:{over}"})
    assert done.status_code == 303, done.text
    [seat] = await rows(shop, Seat)
    assert seat.credit_lot_id == lasting


async def test_afterwards_what_is_left_of_the_kind_is_said_once(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    date = await a_date(shop)
    await came_back(shop, clock, 10, 20, 30)
    await shop.guest.open(subject("session", date.id))
    shop.guest.page = await shop.send(step="update", size="2")
    sent = await shop.send(size="2", **{"names.2": "Kim"})
    shown = (await shop.guest.open(sent.headers["location"])).text
    assert shown.count("of “10 sessions”") == 1
    assert "2 credits of “10 sessions”, 1 left" in shown
    await shop.work()
    [mail] = [one for one in mailer.sent if "of “10 sessions”" in one.body]
    assert "Paid with 2 credits of “10 sessions”, 1 left" in mail.body
