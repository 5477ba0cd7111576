"""What a mail about money that goes back calls the dates that were booked."""

import pytest

from src.billing.models import Order
from src.billing.queries.what_was_bought import what_was_bought
from src.booking.commands.exchange import MoveSeats, move_by_staff
from src.platform.i18n import use_locale
from src.platform.services import Services
from src.platform.web.formats import datetime_local
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_leave import paid_by_card
from tests.booking.web.money_back import pays_back
from tests.booking.web.test_roster_bulk import ids_of
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def test_it_names_the_date_as_it_is_by_now_in_the_guests_language(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    yoga = await a_service(factory, lotus.id, price_type="on_site")
    sold = await a_session(factory, yoga, in_days=3)
    other = await a_session(factory, yoga, in_days=10)
    made = await booked(factory, lotus, a_wish("session", sold.id, locale="de"))
    await paid_by_card(services, lotus, made)
    seat_ids = await ids_of(services, lotus, made)
    async with factory(lotus.id) as uow:
        moving = MoveSeats(
            order_id=made.order_id, seat_ids=seat_ids, session_id=other.id, by="staff"
        )
        await move_by_staff(uow, lotus.ctx, moving)
    await pays_back(services, lotus, made, 500)
    await work(services, lotus.id)
    zone = lotus.tenant.zone
    with use_locale("de"):
        now, before = [datetime_local(one.starts_at, zone) for one in (other, sold)]
    [told] = [mail.body for mail in mailer.sent if "5,00" in mail.subject]
    assert f"Yoga · {now}\n" in told
    assert before not in told


async def test_a_course_is_called_by_its_name_alone(services: Services, lotus: Business) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, price_type="free", sales_mode="both")
    term = await a_series(factory, service, sessions=3)
    made = await booked(factory, lotus, a_wish("series", term.series.id))
    async with factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        said = await what_was_bought(uow, order, lotus.tenant.zone)
    assert said == f"{service.name} · {term.series.title}"
