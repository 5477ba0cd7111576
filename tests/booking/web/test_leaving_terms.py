"""The terms for leaving a date: set in the editors, and read by guests before they pay."""

from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.booking.domain.leaving import BeforeUnit, LeavingTerms, Tier, terms_from
from src.booking.domain.quiet_hours import QuietHours
from src.booking.models import Booking, Series, Service, Session
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.pages import as_owner, send, send_again
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio
TERMS = LeavingTerms(
    tiers=(Tier(before=48, percent=100), Tier(before=24, percent=50)), moves_before=12
)
TYPED = {
    "tiers.0.before": "2",
    "tiers.0.unit": "days",
    "tiers.0.percent": "100",
    "tiers.2.before": "24",
    "tiers.2.percent": "50 %",
    "moves_before": "12",
}


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def kept(services: Services, lotus: Business, model: type[Any]) -> LeavingTerms:
    async with services.uow_factory(lotus.id) as uow:
        return terms_from((await uow.session.scalars(select(model.leaving))).one())


async def test_the_services_editor_keeps_the_steps_and_shows_them_again(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/services/{service.id}/edit"
    saved = await send(client, path, TYPED)
    assert saved.status_code == 303, saved.text
    assert await kept(services, lotus, Service) == LeavingTerms(
        tiers=(Tier(before=2, unit=BeforeUnit.DAYS, percent=100), Tier(before=24, percent=50)),
        moves_before=12,
    )
    shown = await client.get(path)
    assert 'name="tiers.1.percent"' in shown.text
    again = await send_again(client, path, shown, {})
    assert again.status_code == 303
    assert (await kept(services, lotus, Service)).tiers[1].percent == 50


async def test_the_series_editor_keeps_its_own(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    await as_owner(client, services, lotus)
    typed = {**TYPED, "whole_course": "on", "may_cancel": None}
    saved = await send(client, f"/app/lotus/series/{term.series.id}/edit", typed)
    assert saved.status_code == 303, saved.text
    terms = await kept(services, lotus, Series)
    assert (terms.whole_course, terms.may_cancel, len(terms.tiers)) == (True, False, 2)
    assert await kept(services, lotus, Service) == LeavingTerms()


@pytest.mark.parametrize("editor", ["service", "series"])
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"tiers.2.before": "72"}, "Put the longest time before the start first."),
        ({"tiers.2.percent": "110"}, "What comes back lies between 0 and 100 percent."),
        ({"tiers.0.percent": "40"}, "Leaving later cannot give more back than leaving earlier."),
        ({"tiers.0.before": "soon"}, "Please give a whole number."),
        ({"moves_before": "9000"}, "At most a year before the start."),
    ],
)
async def test_steps_that_make_no_sense_are_refused_at_their_field_and_stay_typed(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    editor: str,
    typed: dict[str, str],
    said: str,
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    await as_owner(client, services, lotus)
    where = {"service": f"services/{service.id}", "series": f"series/{term.series.id}"}
    refused = await send(client, f"/app/lotus/{where[editor]}/edit", {**TYPED, **typed})
    assert refused.status_code == 422
    assert said in refused.text
    assert refused.text.count('aria-invalid="true"') == 1
    for value in typed.values():
        assert f'value="{value}"' in refused.text
    assert await kept(services, lotus, Service) == LeavingTerms()


async def test_the_preview_shows_dates_for_what_is_typed_and_saves_nothing(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    await a_session(services.uow_factory, service, in_days=1)  # too near to explain deadlines by
    await a_session(services.uow_factory, service, in_days=7)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/services/{service.id}/edit"
    shown = await send(client, path, {**TYPED, "name": "", "preview": "1"})
    assert shown.status_code == 200
    assert "What guests read for Mon, Mar 8, 2027, 10:00" in shown.text
    assert (
        "Cancel until Sat, Mar 6, 2027, 10:00\u202fAM: all that you paid for it comes back."
        in shown.text
    )
    assert (
        "Cancel until Sun, Mar 7, 2027, 10:00\u202fAM: half of what you paid for it comes back."
        in shown.text
    )
    assert "Later than that you can still cancel, but nothing comes back." in shown.text
    assert await kept(services, lotus, Service) == LeavingTerms()


async def test_the_preview_names_no_moment_that_has_passed(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """It is for the next date for which all that is typed lies ahead, or else for none."""
    service = await a_service(services.uow_factory, lotus.id)
    await a_session(services.uow_factory, service, in_days=7)
    await a_session(services.uow_factory, service, in_days=20)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/services/{service.id}/edit"
    typed = {**TYPED, "name": "", "preview": "1"}
    fortnight = {"tiers.0.before": "14", "tiers.0.unit": "days", "moves_before": ""}
    shown = await send(client, path, {**typed, **fortnight})
    assert "What guests read for Sun, Mar 21, 2027, 10:00" in shown.text
    assert "Cancel until Sun, Mar 7, 2027, 10:00" in shown.text
    shown = await send(client, path, {**typed, **fortnight, "tiers.0.before": "21"})
    assert "What guests read, counted from the start of a date" in shown.text
    assert "Cancel up to 21 days before a date" in shown.text
    assert "2027" not in shown.text.split("What guests read")[1].split("</ol>")[0]


async def test_quiet_hours_are_previewed_refused_kept_and_booked_under(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    session = await a_session(services.uow_factory, service, in_days=7)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/services/{service.id}/edit"
    typed = {"tiers.0.before": "14", "tiers.0.percent": "100", "moves_before": "3"}
    night = {"quiet_from": "22", "quiet_until": "8"}
    shown = await send(client, path, {**typed, **night, "price_type": "online", "preview": "1"})
    # Two hours of Monday's morning, and twelve of Sunday without its night.
    assert "Cancel until Sun, Mar 7, 2027, 10:00\u202fAM: all that you paid" in shown.text
    assert "exchange it for another date until Sun, Mar 7, 2027, 9:00\u202fPM" in shown.text
    too_long = await send(client, path, {**typed, "quiet_from": "8", "quiet_until": "22"})
    assert too_long.status_code == 422
    assert "Quiet hours last between 1 and 12 hours." in too_long.text
    mixed = {"tiers.1.before": "1", "tiers.1.unit": "days", "tiers.1.percent": "50"}
    refused = await send(client, path, {**typed, **night, "tiers.0.before": "40", **mixed})
    assert refused.status_code == 422
    assert "count all steps in hours or all in days" in refused.text
    assert (await send(client, path, {**typed, **night})).status_code == 303
    terms = await kept(services, lotus, Service)
    assert terms.quiet_hours == QuietHours(begins=22, ends=8)
    again = await client.get(path)
    assert (await send_again(client, path, again, {})).status_code == 303
    assert await kept(services, lotus, Service) == terms, "saved again, nothing is lost"
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    assert (await send(client, path, {"quiet_from": ""})).status_code == 303
    assert (await kept(services, lotus, Service)).quiet_hours is None
    assert await kept(services, lotus, Booking) == terms, "as it was bought"


async def test_the_preview_of_steps_in_the_wrong_order_says_what_saving_would(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/services/{service.id}/edit"
    shown = await send(client, path, {**TYPED, "tiers.2.before": "72", "preview": "1"})
    assert shown.status_code == 200
    assert "Put the longest time before the start first." in shown.text
    assert "cannot be read" not in shown.text


async def test_2_27_a_guest_reads_the_terms_as_dates_before_paying(shop: Shop) -> None:
    """Row 2-27: nobody is surprised by what a cancellation costs."""
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, leaving=TERMS.document())
    session = await a_session(factory, service)
    term = await a_series(factory, service, leaving=TERMS.document(), first_in_days=8)
    single = await shop.guest.open("/b/lotus/yoga?how=single")
    assert (
        "Cancel up to 48 hours before a date: all that you paid for it comes back." in single.text
    )
    assert "So for Mon, Mar 8, 2027, 10:00\u202fAM that is until Sat, Mar 6, 2027" in single.text
    course = await shop.guest.open("/b/lotus/yoga?how=series")
    assert "So for Tue, Mar 9, 2027, 10:00\u202fAM that is until Sun, Mar 7, 2027" in course.text
    form = await shop.guest.open(subject("session", session.id))
    assert (
        "Cancel until Sat, Mar 6, 2027, 10:00\u202fAM: all that you paid for it comes back."
        in form.text
    )
    assert "You can exchange it for another date until Sun, Mar 7, 2027, 10:00" in form.text
    form = await shop.guest.open(subject("series", term.series.id))
    assert (
        "Cancel up to 24 hours before a date: half of what you paid for it comes back." in form.text
    )


async def test_the_example_is_of_a_date_that_takes_place_and_one_has_a_seat_in(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id)
    how: dict[str, Any] = {"join_policy": "any_time", "gap_policy": "sell_with_gaps"}
    term = await a_series(factory, service, leaving=TERMS.document(), first_in_days=8, **how)
    changes = ({"state": "cancelled"}, {"capacity": 1, "seats_taken": 1})
    async with factory(shop.business.id) as uow:
        for session, values in zip(term.sessions, changes, strict=False):
            of_it = update(Session).where(Session.id == session.id)
            await uow.session.execute(of_it.values(**values))
    course = await shop.guest.open("/b/lotus/yoga?how=series")
    assert "So for Tue, Mar 23, 2027" in course.text


async def test_the_confirmation_repeats_the_terms_it_was_bought_under(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", leaving=TERMS.document()
    )
    session = await a_session(services.uow_factory, service)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    async with services.uow_factory(lotus.id) as uow:
        (await uow.session.scalars(select(Service))).one().leaving = {}
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert "Cancel free of charge until Sun, Mar 7, 2027, 10:00" in mail.body
    assert "later the price stays due" in mail.body
