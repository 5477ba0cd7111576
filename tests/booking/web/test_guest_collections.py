"""Collections as guests see them: the page, who is turned away, and what is in a frame."""

import pytest
from httpx import AsyncClient, Response

from src.booking.models import Service, Session
from src.platform.services import Services
from tests.booking.web.conftest import subject
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.collections import a_collection, a_customer
from tests.support.credits import a_package
from tests.support.mail import RememberingMailer
from tests.support.portal import CARL, sign_in_portal
from tests.support.visitor import Visitor, forms_of

pytestmark = pytest.mark.anyio

SIGN_IN = "/b/lotus/me/sign-in?next="


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory, contact_email="hello@lotus.example")


@pytest.fixture
async def guest(client: AsyncClient) -> Visitor:
    return Visitor(client)


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    return await a_service(services.uow_factory, lotus.id, price_type="free", slug="yoga")


@pytest.fixture
async def session(services: Services, yoga: Service) -> Session:
    return await a_session(services.uow_factory, yoga, capacity=5)


async def asked(guest: Visitor, path: str) -> Response:
    """Without following where it leads."""
    return await guest.client.get(path, follow_redirects=False)


async def test_an_open_collection_shows_its_things_in_order_with_price_and_way(
    guest: Visitor, services: Services, lotus: Business, yoga: Service, session: Session
) -> None:
    factory = services.uow_factory
    paid = await a_service(factory, lotus.id, slug="spin", name="Spin")
    term = await a_series(factory, paid, title="Autumn")
    ten = await a_package(factory, lotus.id, name="Ten")
    await a_collection(
        factory,
        lotus.id,
        ten,
        term.series,
        yoga,
        title="Start here",
        established_only=False,
        cover_text="For <new> guests.",
    )
    shown = await guest.open("/b/lotus/collections/start-here")
    text = shown.text
    assert "For &lt;new&gt; guests." in text
    places = [text.index(name) for name in (">Ten<", "Spin · ", "/b/lotus/yoga")]
    assert places == sorted(places)
    assert "€120.00" in text
    assert f"/b/lotus/packages/{ten.id}" in text
    assert f"series={term.series.id}" in text
    assert "no-store" not in shown.headers["cache-control"]


@pytest.mark.parametrize("is_listed", [True, False])
@pytest.mark.parametrize("is_kept", [True, False])
async def test_the_two_flags_are_independent(
    guest: Visitor,
    services: Services,
    lotus: Business,
    yoga: Service,
    session: Session,
    is_listed: bool,
    is_kept: bool,
) -> None:
    """All four: on the collection's own address, that of what is in it, on lists and in a frame."""
    await a_collection(
        services.uow_factory,
        lotus.id,
        yoga,
        established_only=is_kept,
        listed_in_portal=is_listed,
    )
    page, own = "/b/lotus/collections/regulars", "/b/lotus/yoga"
    book = subject("session", session.id)
    for path in (page, own, book):
        answer = await asked(guest, path)
        if is_kept:
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith(SIGN_IN), path
        else:
            assert answer.status_code == 200, path
    assert ("/b/lotus/yoga" in (await guest.open("/b/lotus")).text) is not is_kept
    frame = (await guest.open("/embed/lotus/collections/regulars")).text
    assert ("/b/lotus/yoga" in frame) is not is_kept
    assert (f'href="{page}"' in frame) is is_kept
    carl = await a_customer(services.uow_factory, lotus.id, established=True)
    await sign_in_portal(guest.client, services, lotus.id, carl)
    assert ("/collections/regulars" in (await guest.open("/b/lotus/me")).text) is is_listed
    for path in (page, own, book):
        assert (await asked(guest, path)).status_code == 200, path


async def test_a_stranger_signs_in_and_is_led_back_to_that_very_page(
    guest: Visitor,
    services: Services,
    lotus: Business,
    yoga: Service,
    session: Session,
    mailer: RememberingMailer,
) -> None:
    await a_collection(services.uow_factory, lotus.id, yoga)
    await a_customer(services.uow_factory, lotus.id, established=True)
    book = subject("session", session.id)
    await guest.open(book)
    assert guest.path == "/b/lotus/me/sign-in"
    await guest.submit({"email": CARL}, to="/me/sign-in")
    from tests.support.portal import code_in
    from tests.support.work import work

    await work(services, lotus.id)
    await guest.submit({"code": code_in(mailer.sent[-1])}, to="/me/code")
    assert guest.path == "/b/lotus/yoga/book"
    await guest.submit({"step": "book"}, to="send=1")
    assert "You are booked" in guest.text


async def test_a_visitor_reads_why_they_are_asked_to_sign_in_and_no_title(
    guest: Visitor, services: Services, lotus: Business, yoga: Service
) -> None:
    """Of a collection, and of a package in it; also where the address was mistyped."""
    ten = await a_package(services.uow_factory, lotus.id, name="Secret ten")
    await a_collection(services.uow_factory, lotus.id, yoga, ten, title="Inner circle")
    why = f"This page is for customers {lotus.tenant.name} knows."
    for path in ("/b/lotus/collections/inner-circle", f"/b/lotus/packages/{ten.id}"):
        asked_in = await guest.open(path)
        assert guest.path == "/b/lotus/me/sign-in"
        for shown in (asked_in.text, await _typed_wrongly(guest)):
            assert why in shown
            assert "Say at which address you booked before." in shown
            assert "Secret ten" not in shown
            assert "Inner circle" not in shown
    plain = await guest.open("/b/lotus/me/sign-in?why=nonsense")
    assert "This page is for" not in plain.text
    assert "nonsense" not in plain.text


async def _typed_wrongly(guest: Visitor) -> str:
    assert guest.page is not None
    (form,) = [one for one in forms_of(guest.page) if one.action.endswith("/me/sign-in")]
    answer = await guest.client.post(form.action, data=form.filled({"email": "nonsense"}))
    assert answer.status_code == 422
    return answer.text


async def test_who_is_signed_in_and_new_reads_whom_to_ask(
    guest: Visitor, services: Services, lotus: Business, yoga: Service, session: Session
) -> None:
    await a_collection(services.uow_factory, lotus.id, yoga)
    carl = await a_customer(services.uow_factory, lotus.id, established=False)
    await sign_in_portal(guest.client, services, lotus.id, carl)
    for path in ("/b/lotus/collections/regulars", "/b/lotus/yoga", subject("session", session.id)):
        answer = await asked(guest, path)
        assert answer.status_code == 403, path
        assert "This is for existing customers" in answer.text
        assert "hello@lotus.example" in answer.text
        assert CARL in answer.text
        assert "Regulars" not in answer.text


async def test_nobody_is_shown_what_was_made_for_an_established_customer(
    guest: Visitor, services: Services, lotus: Business, yoga: Service, session: Session
) -> None:
    """Neither by the pages kept for a moment, nor by what browsers keep."""
    await a_collection(services.uow_factory, lotus.id, yoga)
    carl = await a_customer(services.uow_factory, lotus.id, established=True)
    await sign_in_portal(guest.client, services, lotus.id, carl)
    for path in ("/b/lotus/collections/regulars", "/b/lotus/yoga"):
        shown = await asked(guest, path)
        assert (shown.status_code, shown.headers["cache-control"]) == (200, "private, no-store")
    guest.client.cookies.clear()
    for path in ("/b/lotus/collections/regulars", "/b/lotus/yoga"):
        assert (await asked(guest, path)).status_code == 303


async def test_what_is_kept_is_on_no_list_of_an_open_page(
    guest: Visitor, services: Services, lotus: Business, yoga: Service, session: Session
) -> None:
    """Neither a series of an open service, nor its dates sold alone, nor a package."""
    factory = services.uow_factory
    ten = await a_package(factory, lotus.id, name="Secret ten")
    term = await a_series(factory, yoga, title="Secret term", drop_in_allowed=True)
    await a_collection(factory, lotus.id, ten, term.series)
    for path in ("/b/lotus", "/b/lotus/yoga", "/b/lotus/packages", "/embed/lotus/packages"):
        text = (await guest.open(path)).text
        assert "Secret" not in text, path
        for one in term.sessions:
            assert str(one.id) not in text, path
    for path in (
        f"/b/lotus/packages/{ten.id}",
        f"/b/lotus/yoga?series={term.series.id}",
        subject("series", term.series.id),
        subject("session", term.sessions[0].id),
    ):
        assert (await asked(guest, path)).headers.get("location", "").startswith(SIGN_IN), path


async def test_a_series_of_a_kept_service_is_kept_in_an_open_collection_too(
    guest: Visitor, services: Services, lotus: Business, yoga: Service, session: Session
) -> None:
    factory = services.uow_factory
    term = await a_series(factory, yoga, title="Secret term")
    await a_collection(factory, lotus.id, yoga)
    await a_collection(factory, lotus.id, term.series, title="Open", established_only=False)
    text = (await guest.open("/b/lotus/collections/open")).text
    assert "Secret term" not in text
    assert "Nothing here at present" in text


async def test_what_cannot_be_booked_stands_there_with_the_reason(
    guest: Visitor, services: Services, lotus: Business, yoga: Service
) -> None:
    factory = services.uow_factory
    full = await a_service(factory, lotus.id, slug="full", name="Full one", price_type="free")
    await a_session(factory, full, capacity=1, seats_taken=1)
    off = await a_package(factory, lotus.id, name="Off ten", active=False)
    hidden = await a_service(
        factory, lotus.id, slug="hidden", name="Hidden one", visibility="hidden"
    )
    await a_collection(
        factory, lotus.id, full, off, hidden, yoga, title="Menu", established_only=False
    )
    text = (await guest.open("/b/lotus/collections/menu")).text
    assert "Sold out" in text
    assert "No dates at present" in text
    assert "Off ten" in text
    assert f"/b/lotus/packages/{off.id}" not in text
    assert "Hidden one" not in text


async def test_a_former_address_leads_on_and_an_off_one_to_nothing(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    from src.booking.commands.collections import change_collection, set_collection_active
    from src.booking.domain.collections import CollectionDraft

    factory = services.uow_factory
    made = await a_collection(factory, lotus.id, established_only=False)
    async with factory(lotus.id) as uow:
        draft = CollectionDraft(title="Regulars", slug="menu")
        await change_collection(uow, lotus.ctx, made.id, draft)
    answer = await asked(guest, "/b/lotus/collections/regulars")
    assert answer.headers["location"] == "/b/lotus/collections/menu"
    async with factory(lotus.id) as uow:
        await set_collection_active(uow, lotus.ctx, made.id, active=False)
    for path in ("/b/lotus/collections/menu", "/embed/lotus/collections/menu"):
        assert (await asked(guest, path)).status_code == 404


async def test_a_plan_without_collections_hides_the_pages_and_opens_nothing(
    guest: Visitor, services: Services
) -> None:
    factory = services.uow_factory
    small = await a_business(factory, "small", plan="starter")
    coaching = await a_service(factory, small.id, kind="appointment", slug="coaching")
    await a_collection(factory, small.id, coaching)
    await a_collection(factory, small.id, title="Open", established_only=False)
    for name in ("regulars", "open"):
        assert (await asked(guest, f"/b/small/collections/{name}")).status_code == 404
    answer = await asked(guest, "/b/small/coaching")
    assert answer.headers["location"].startswith("/b/small/me/sign-in")


async def test_what_is_paid_by_a_link_runs_on(
    guest: Visitor, services: Services, lotus: Business, yoga: Service, session: Session
) -> None:
    """Who has booked before it was kept sees their booking as before."""
    await guest.open(subject("session", session.id))
    await guest.submit({"name": "Carl", "email": CARL, "step": "book"}, to="send=1")
    assert "You are booked" in guest.text
    mine = guest.path
    await a_collection(services.uow_factory, lotus.id, yoga)
    assert "You are booked" in (await guest.open(mine)).text
