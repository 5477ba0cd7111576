"""A guest's way into their own pages: by code or link, once, and telling strangers nothing."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from httpx import ASGITransport, AsyncClient, Cookies
from redis.asyncio import Redis
from sqlalchemy import event, text

from src.platform.services import Services
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.domain.portal import MOST_TRIES
from src.tenants.web.portal_sign_in import MAILS_BY_ADDRESS, MAILS_BY_SENDER, TRIES_BY_ADDRESS
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.portal import CARL, ask, code_in, enter, link_in
from tests.support.shared_app import app_for
from tests.support.visitor import Visitor
from tests.support.work import work

pytestmark = pytest.mark.anyio

STRANGER = "nobody@example.com"
ME = "/b/lotus/me"
WRONG = "This is not the code."
OVER = "This code or link was used already, or is too old."


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def carl(services: Services, lotus: Business) -> UUID:
    return await a_customer(services, lotus)


@pytest.fixture
async def guest(client: AsyncClient) -> Visitor:
    return Visitor(client)


@pytest.fixture
async def elsewhere(services: Services, client: AsyncClient) -> AsyncIterator[Visitor]:
    """Another browser."""
    transport = ASGITransport(app=app_for(services))
    async with AsyncClient(transport=transport, base_url="http://testserver.local") as browser:
        yield Visitor(browser)


async def a_customer(
    services: Services, business: Business, email: str = CARL, name: str = "Carl Guest"
) -> UUID:
    async with services.uow_factory(business.id) as uow:
        return await find_or_add_customer(uow, email, name, "", uow.clock.now())


def wrong_for(code: str) -> str:
    """Another code."""
    return f"{(int(code.replace(' ', '')) + 1) % 10**6:06d}"


async def is_in(guest: Visitor, slug: str = "lotus") -> bool:
    await guest.open(f"/b/{slug}/me")
    return guest.path == f"/b/{slug}/me"


async def test_a_guest_enters_by_the_code_that_was_mailed(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    assert not await is_in(guest)
    await ask(guest, services, lotus.id)
    assert "If Lotus knows this address" in guest.text
    [mail] = mailer.sent
    assert (mail.to, mail.subject) == ([f"Carl Guest <{CARL}>"], "Your bookings at Lotus")
    await guest.submit({"code": code_in(mail)}, to="/me/code")
    assert guest.path == ME
    assert "Signed in as" in guest.text
    answer = await guest.client.get(ME)
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-robots-tag"] == "noindex"


async def test_a_code_works_once(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    await ask(guest, services, lotus.id)
    form_page = guest.page
    asked = {name: value for name, value in guest.client.cookies.items() if "code" in name}
    await guest.submit({"code": code_in(mailer.sent[-1])}, to="/me/code")
    await guest.submit(to="/me/sign-out")
    guest.client.cookies.update(asked)
    guest.page = form_page
    await guest.submit({"code": code_in(mailer.sent[-1])}, to="/me/code")
    assert OVER in guest.text
    assert not await is_in(guest)


async def test_a_code_is_void_after_a_few_tries(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    await ask(guest, services, lotus.id)
    code = code_in(mailer.sent[-1])
    for left in range(MOST_TRIES - 1, 0, -1):
        await guest.submit({"code": wrong_for(code)}, to="/me/code", status=422)
        assert f"{WRONG} You can try {left} more time" in guest.text
    await guest.submit({"code": wrong_for(code)}, to="/me/code")
    assert OVER not in guest.text
    assert "Too many wrong codes were typed" in guest.text
    async with services.uow_factory(lotus.id) as uow:
        tries = await uow.session.scalar(text("SELECT tries FROM portal_codes"))
    assert tries == MOST_TRIES


async def test_what_is_plainly_no_code_costs_no_try(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    await ask(guest, services, lotus.id)
    for typed in ("abc", "12345", "1234567", "١٢٣٤٥٦"):
        await guest.submit({"code": typed}, to="/me/code", status=422)
        assert "A code has six digits." in guest.text
        assert f'value="{typed}"' in guest.text
    async with services.uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(text("SELECT tries FROM portal_codes")) == 0
    code = code_in(mailer.sent[-1]).replace(" ", "")
    await guest.submit({"code": f" {code[:3]}-{code[3:]}"}, to="/me/code")
    assert guest.path == ME


async def test_the_right_code_comes_too_late(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    carl: UUID,
    clock: FrozenClock,
) -> None:
    await ask(guest, services, lotus.id)
    clock.advance(timedelta(minutes=15))
    await guest.submit({"code": wrong_for(code_in(mailer.sent[-1]))}, to="/me/code", status=422)
    clock.advance(timedelta(seconds=1))
    await guest.submit({"code": code_in(mailer.sent[-1])}, to="/me/code")
    assert OVER in guest.text
    link = link_in(mailer.sent[-1])
    await guest.open(link)
    assert OVER in guest.text
    assert not await is_in(guest)


async def test_looking_at_the_link_uses_nothing_up(
    guest: Visitor,
    elsewhere: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    carl: UUID,
) -> None:
    """A mail program that follows links is not the guest."""
    await ask(guest, services, lotus.id)
    link = link_in(mailer.sent[-1])
    for _look in range(3):
        await elsewhere.open(link)
        assert CARL in elsewhere.text
    assert not await is_in(elsewhere)
    await elsewhere.open(link)
    await elsewhere.submit(to=link)
    assert elsewhere.path == ME
    await elsewhere.open(link)
    assert elsewhere.path == ME, "a second tap leads on"
    await guest.open(link)
    assert OVER in guest.text
    await guest.open(f"{ME}/code")
    assert guest.path == f"{ME}/sign-in", "the code went with the link"


async def test_a_link_is_not_pressed_by_another_site(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    """Signing somebody in as oneself, to see what they do there."""
    await ask(guest, services, lotus.id)
    link = link_in(mailer.sent[-1])
    bare = await guest.client.post(link)
    assert bare.status_code == 403
    bare = await guest.client.post(f"{ME}/code", data={"code": code_in(mailer.sent[-1])})
    assert bare.status_code == 403
    assert not await is_in(guest)


async def test_the_session_is_another_one_once_somebody_is_in(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    name = f"seatline_guest_{lotus.id.hex}"
    guest.client.cookies.set(name, "a" * 43, domain="testserver.local")
    await enter(guest, services, mailer, lotus.id)
    first = guest.client.cookies[name]
    assert first != "a" * 43
    await enter_anew(guest, services, mailer, lotus)
    assert guest.client.cookies[name] != first
    guest.client.cookies.set(name, first, domain="testserver.local")
    assert not await is_in(guest)


async def enter_anew(
    guest: Visitor, services: Services, mailer: RememberingMailer, business: Business
) -> None:
    """By a link, while somebody is in already."""
    own = Cookies(guest.client.cookies)
    guest.client.cookies.clear()
    await ask(guest, services, business.id)
    guest.client.cookies.update(own)
    link = link_in(mailer.sent[-1])
    await guest.open(link)
    await guest.submit(to=link)


async def test_another_address_gets_the_same_answer_and_no_mail(
    guest: Visitor,
    elsewhere: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    carl: UUID,
) -> None:
    await ask(guest, services, lotus.id)
    await ask(elsewhere, services, lotus.id, email=STRANGER)
    assert len(mailer.sent) == 1
    known, unknown = without_secrets(guest.text), without_secrets(elsewhere.text)
    assert known.replace("carl@", "nobody@") == unknown
    for left in range(MOST_TRIES - 1, 0, -1):
        code = wrong_for(code_in(mailer.sent[-1]))
        await guest.submit({"code": code}, to="/me/code", status=422)
        await elsewhere.submit({"code": code}, to="/me/code", status=422)
        assert f"{WRONG} You can try {left} more time" in elsewhere.text
        assert f"{WRONG} You can try {left} more time" in guest.text


def without_secrets(page: str) -> str:
    return re.sub(r'name="_csrf_token"\s+value="[^"]+"', "", page)


async def test_the_database_is_asked_the_same_for_known_and_unknown_addresses(
    guest: Visitor,
    elsewhere: Visitor,
    services: Services,
    lotus: Business,
    carl: UUID,
    rolled_back: object,
) -> None:
    """What takes the same statements takes the same time."""
    told: list[str] = []

    @event.listens_for(rolled_back.sync_engine, "before_cursor_execute")  # type: ignore[attr-defined]
    def _listen(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        told.append(re.sub(r"savepoint_\d+", "", statement))

    async def of(visitor: Visitor, email: str) -> tuple[list[str], list[str]]:
        await visitor.open(f"{ME}/sign-in")
        told.clear()
        await visitor.submit({"email": email}, to="/me/sign-in")
        asking = list(told)
        told.clear()
        await visitor.submit({"code": "000 000"}, to="/me/code", status=422)
        return asking, list(told)

    assert await of(guest, CARL) == await of(elsewhere, STRANGER)
    event.remove(rolled_back.sync_engine, "before_cursor_execute", _listen)  # type: ignore[attr-defined]


async def test_a_code_of_one_business_opens_no_other(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    """The same address at both."""
    rose = await a_business(services.uow_factory, "rose", name="Rose", owner="Eve")
    await a_customer(services, rose, name="Carl at Rose")
    await ask(guest, services, lotus.id)
    at_lotus = code_in(mailer.sent[-1])
    link = link_in(mailer.sent[-1])
    await ask(guest, services, rose.id, "rose")
    assert code_in(mailer.sent[-1]) != at_lotus
    await guest.submit({"code": at_lotus}, to="/me/code", status=422)
    await guest.open(link.replace("/b/lotus/", "/b/rose/"), 404)
    await guest.open("/b/rose/me/code")
    await guest.submit({"code": code_in(mailer.sent[-1])}, to="/me/code")
    assert guest.path == "/b/rose/me"
    assert not await is_in(guest, "lotus")
    cookie = guest.client.cookies[f"seatline_guest_{rose.id.hex}"]
    guest.client.cookies.set(f"seatline_guest_{lotus.id.hex}", cookie, domain="testserver.local")
    assert not await is_in(guest, "lotus"), "another business's session under this one's name"
    guest.client.cookies.set(f"seatline_guest_{rose.id.hex}", cookie, domain="testserver.local")
    assert await is_in(guest, "rose"), "what was left there stays what it is"


async def test_no_code_is_stored_and_the_mail_forgets_its_own(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    carl: UUID,
    redis: Redis,
) -> None:
    await ask(guest, services, lotus.id)
    code = code_in(mailer.sent[-1])
    async with services.uow_factory(lotus.id) as uow:
        mail = (await uow.session.execute(text("SELECT * FROM mails"))).mappings().one()
        row = (await uow.session.execute(text("SELECT * FROM portal_codes"))).mappings().one()
        left = (await uow.session.execute(text("SELECT count(*) FROM outbox"))).scalar_one()
    assert mail["sent_at"] is not None
    assert (mail["text"], mail["html"]) == ("", "")
    assert set(row) == {"tenant_id", "id", "asked_at", "expires_at", "tries", "used_at"}
    assert left == 0
    everything = str(dict(mail)) + str(dict(row)) + str(await redis.keys())
    assert code not in everything
    assert code.replace(" ", "") not in everything


async def test_asking_again_sends_the_same_code_again(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    carl: UUID,
    clock: FrozenClock,
) -> None:
    """Two mails on their way: either one's code is right."""
    await ask(guest, services, lotus.id)
    await guest.submit(to="/me/sign-in")
    await work(services, lotus.id)
    first, second = mailer.sent
    assert code_in(first) == code_in(second)
    clock.advance(timedelta(minutes=6))
    await guest.submit(to="/me/sign-in")
    await work(services, lotus.id)
    assert code_in(mailer.sent[-1]) != code_in(first)
    await guest.submit({"code": code_in(mailer.sent[-1])}, to="/me/code")
    assert guest.path == ME


@pytest.mark.slow
async def test_asking_is_limited_by_address_known_or_not(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    for email in (CARL, STRANGER):
        for _time in range(MAILS_BY_ADDRESS.times):
            await ask(guest, services, lotus.id, email=email)
        await guest.open(f"{ME}/sign-in")
        await guest.submit({"email": email.upper()}, to="/me/sign-in", status=429)
        assert "Too many tries." in guest.text
        assert email.upper() in guest.text
    assert len(mailer.sent) == MAILS_BY_ADDRESS.times


@pytest.mark.slow
async def test_asking_is_limited_by_sender(
    guest: Visitor, services: Services, lotus: Business, carl: UUID
) -> None:
    await guest.open(f"{ME}/sign-in")
    form = guest.page
    for number in range(MAILS_BY_SENDER.times):
        guest.page = form
        await guest.submit({"email": f"guest-{number}@example.com"}, to="/me/sign-in")
    guest.page = form
    await guest.submit({"email": "one-more@example.com"}, to="/me/sign-in", status=429)


async def test_codes_are_tried_only_so_often_a_day_and_the_link_still_opens(
    guest: Visitor,
    elsewhere: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    carl: UUID,
) -> None:
    for _time in range(TRIES_BY_ADDRESS.times):
        await services.limiter.check(TRIES_BY_ADDRESS, f"{lotus.id}:{CARL}")
    await ask(guest, services, lotus.id)
    await guest.submit({"code": code_in(mailer.sent[-1])}, to="/me/code", status=429)
    assert "Please open the link in the mail." in guest.text
    link = link_in(mailer.sent[-1])
    await elsewhere.open(link)
    await elsewhere.submit(to=link)
    assert elsewhere.path == ME


@pytest.mark.parametrize("status", ["paused", "suspended"])
async def test_guests_enter_while_the_business_is_not_selling(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    carl: UUID,
    status: str,
) -> None:
    async with services.uow_factory(None) as uow:
        await uow.session.execute(
            text("UPDATE tenants SET status = :status WHERE id = :id"),
            {"status": status, "id": lotus.id},
        )
    await enter(guest, services, mailer, lotus.id)
    assert guest.path == ME


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/b/lotus/me", "/b/lotus/me"),
        ("https://evil.example/", "/b/lotus/me"),
        ("//evil.example/", "/b/lotus/me"),
        ("/app/lotus", "/b/lotus/me"),
        ("/b/rose/me", "/b/lotus/me"),
        ("/b/lotuseater", "/b/lotus/me"),
        ("/b/lotus?month=2027-04", "/b/lotus?month=2027-04"),
    ],
)
async def test_afterwards_the_guest_is_led_on_within_the_business_alone(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    carl: UUID,
    wanted: str,
    led_to: str,
) -> None:
    await guest.open(f"{ME}/sign-in")
    await guest.submit({"email": CARL, "next": wanted}, to="/me/sign-in")
    await work(services, lotus.id)
    await guest.submit({"code": code_in(mailer.sent[-1])}, to="/me/code")
    assert guest.page is not None
    assert str(guest.page.url).removeprefix("http://testserver.local") == led_to


async def test_old_askings_are_let_go_of(
    guest: Visitor, services: Services, lotus: Business, carl: UUID, clock: FrozenClock
) -> None:
    from src.tenants.commands.portal import prune_portal_codes

    await ask(guest, services, lotus.id)
    clock.advance(timedelta(days=2))
    await ask(guest, services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        before = clock.now() - timedelta(days=1)
        assert await prune_portal_codes(uow, before, 10) == 1
        assert len((await uow.session.execute(text("SELECT id FROM portal_codes"))).all()) == 1
