"""Guests change what is known of them, prove another address, take their data along, or go."""

from datetime import timedelta

import msgspec
import pytest
from httpx import AsyncClient
from sqlalchemy import select, text

from src.billing.models import Order
from src.billing.voucher_links import voucher_path
from src.booking.commands.book import Booked
from src.booking.guest_links import booking_path
from src.booking.queries.broadcasts import gets_news
from src.platform.services import Services
from src.tenants.commands.customer_care import add_note
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.models import AuditEntry, Customer, MailChoice
from src.tenants.queries.mail_choices import wants_mails
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.test_feeds import events, path_in
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot
from tests.support.mail import RememberingMailer
from tests.support.portal import CARL, link_in, sign_in_portal
from tests.support.visitor import Visitor
from tests.support.vouchers import a_voucher, on_it
from tests.support.work import work
from tests.tenants.web.signed_in import TOKEN

pytestmark = pytest.mark.anyio
ME = "/b/lotus/me"
PROFILE = f"{ME}/profile"
NEW = "carl@new.example"
EVE = "eve@example.com"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory, contact_email="hello@lotus.example", locale="nl")


@pytest.fixture
async def made(services: Services, lotus: Business, mailer: RememberingMailer) -> Booked:
    service = await a_service(services.uow_factory, lotus.id, price_type="free", slug="yoga")
    session = await a_session(services.uow_factory, service, in_days=7)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id, locale="nl"))
    await work(services, lotus.id)
    mailer.sent.clear()
    return made


@pytest.fixture
async def guest(client: AsyncClient, services: Services, lotus: Business, made: Booked) -> Visitor:
    """Carl, signed in."""
    await sign_in_portal(client, services, lotus.id, made.order.customer_id)
    return Visitor(client)


async def carl_of(services: Services, made: Booked) -> Customer:
    async with services.uow_factory(made.order.tenant_id) as uow:
        key = (made.order.tenant_id, made.order.customer_id)
        return await uow.session.get_one(Customer, key)


async def test_name_number_and_language_are_the_guests_own(
    guest: Visitor, services: Services, lotus: Business, made: Booked
) -> None:
    await guest.open(PROFILE)
    assert '<html lang="nl"' in guest.text
    typed = {"name": "  Carl   Gast ", "phone": "020 794 6095", "locale": "en"}
    await guest.submit(typed, to="/me/profile")
    assert '<html lang="en"' in guest.text
    carl = await carl_of(services, made)
    assert (carl.name, carl.phone, carl.locale) == ("Carl Gast", "+31207946095", "en")
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        assert order.locale == "en", "its mails are in the language"
        assert order.guest_name == "Carl", "what was written then stays"
        log = (await uow.session.scalars(select(AuditEntry))).all()
    assert [(one.action, one.actor_kind) for one in log][-1] == ("customer.changed", "guest")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": " "}, "Please fill this in."),
        ({"name": "x" * 150}, "Please give a name"),
        ({"phone": "call me"}, "phone"),
        ({"locale": "xx"}, "Please choose one of these languages."),
    ],
)
async def test_what_will_not_do_is_said_at_its_field_and_nothing_is_done(
    guest: Visitor,
    services: Services,
    made: Booked,
    typed: dict[str, str],
    sentence: str,
) -> None:
    before = await carl_of(services, made)
    await guest.open(PROFILE)
    await guest.submit({"name": "Karl", **typed}, to="/me/profile", status=422)
    assert sentence in guest.text
    assert "Karl" in guest.text or "name" in typed
    assert typed.get("phone", "") in guest.text
    after = await carl_of(services, made)
    assert (after.name, after.phone, after.locale) == (before.name, before.phone, before.locale)


async def test_a_bookings_pages_are_in_the_language_that_was_chosen(
    guest: Visitor, services: Services, made: Booked
) -> None:
    page = booking_path(services.settings, "lotus", made.order)
    for locale in ("nl", "en"):
        await guest.open(PROFILE)
        await guest.submit({"name": "Carl", "locale": locale}, to="/me/profile")
        for path in (page, f"{page}/leave"):
            await guest.open(path)
            assert f'<html lang="{locale}"' in guest.text


@pytest.mark.slow
async def test_another_address_counts_once_its_link_is_followed(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    made: Booked,
) -> None:
    former_page = booking_path(services.settings, "lotus", made.order)
    await guest.open(PROFILE)
    await guest.submit({"email": NEW.upper()}, to="/profile/address")
    assert "Until you follow it, nothing changes." in guest.text
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert mail.to == [f"Carl <{NEW}>"]
    assert (await carl_of(services, made)).email == CARL
    link = link_in(mail, "address")
    await guest.open(link)
    assert (await carl_of(services, made)).email == CARL, "looking changes nothing"
    await guest.submit(to=link)
    assert guest.path == PROFILE
    assert "This is your address from now on." in guest.text
    assert (await carl_of(services, made)).email == NEW
    await work(services, lotus.id)
    by_subject = {one.subject: one.to for one in mailer.sent[1:]}
    assert by_subject["Lotus writes to another address now"] == [f"Carl <{CARL}>"]
    assert by_subject["You are booked: Yoga"] == [f"Carl <{NEW}>"]
    await guest.open(former_page, 410)
    await guest.open(ME)
    assert "Yoga" in guest.text
    async with services.uow_factory(lotus.id) as uow:
        kept = (await uow.session.execute(text("SELECT kind, text FROM mails"))).all()
    assert ("own_address", "") in [tuple(one) for one in kept]


async def test_the_link_works_once_and_other_devices_are_signed_out(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    made: Booked,
) -> None:
    name = f"seatline_guest_{lotus.id.hex}"
    former = guest.client.cookies[name]
    await guest.open(PROFILE)
    await guest.submit({"email": NEW}, to="/profile/address")
    await work(services, lotus.id)
    link = link_in(mailer.sent[-1], "address")
    await guest.open(link)
    page = guest.page
    await guest.submit(to=link)
    await guest.open(link)
    assert "This link was used already" in guest.text
    guest.page = page
    await guest.submit(to=link)
    assert "This link was used already" in guest.text
    guest.client.cookies.set(name, former, domain="testserver.local")
    await guest.open(ME)
    assert guest.path == f"{ME}/sign-in"


async def test_an_address_of_another_customer_is_left_to_staff(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    made: Booked,
) -> None:
    """Asked for, it gets the same answer; who has proved it is told no name."""
    async with services.uow_factory(lotus.id) as uow:
        await find_or_add_customer(uow, EVE, "Eve Secret", "", uow.clock.now())
    await guest.open(PROFILE)
    await guest.submit({"email": EVE}, to="/profile/address")
    assert "Until you follow it, nothing changes." in guest.text
    await work(services, lotus.id)
    link = link_in(mailer.sent[-1], "address")
    await guest.open(link)
    await guest.submit(to=link)
    assert "This address cannot be taken here by itself." in guest.text
    assert "Eve Secret" not in guest.text
    assert (await carl_of(services, made)).email == CARL
    assert "Eve Secret" not in "".join(mail.body for mail in mailer.sent)


async def test_a_link_that_is_too_old_or_anothers_changes_nothing(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    made: Booked,
    clock: FrozenClock,
) -> None:
    await a_business(services.uow_factory, "rose", name="Rose", owner="Eve")
    await guest.open(PROFILE)
    await guest.submit({"email": NEW}, to="/profile/address")
    await work(services, lotus.id)
    link = link_in(mailer.sent[-1], "address")
    await guest.open(link.replace("/b/lotus/", "/b/rose/"), 404)
    await guest.open(link)
    clock.advance(timedelta(hours=25))
    await guest.submit(to=link)
    assert "too old" in guest.text
    assert (await carl_of(services, made)).email == CARL


async def test_the_present_address_and_nonsense_are_refused(guest: Visitor) -> None:
    await guest.open(PROFILE)
    await guest.submit({"email": CARL}, to="/profile/address", status=422)
    assert "This is your address already." in guest.text
    await guest.submit({"email": "not an address"}, to="/profile/address", status=422)
    assert "not an address" in guest.text


async def test_mails_are_chosen_and_news_agreed_to(
    guest: Visitor, services: Services, lotus: Business, made: Booked
) -> None:
    carl = made.order.customer_id

    async def chosen() -> tuple[bool, bool]:
        async with services.uow_factory(lotus.id) as uow:
            return (
                await gets_news(uow, carl),
                await wants_mails(uow, carl, MailTopic.REMINDERS),
            )

    assert await chosen() == (False, True), "nobody agreed to news yet"
    await guest.open(PROFILE)
    await guest.submit({"marketing": ["on"]}, to="/profile/mails")
    assert await chosen() == (True, True)
    await guest.submit({"marketing": ["on"], "reminders": []}, to="/profile/mails")
    assert await chosen() == (True, False)
    await guest.submit({"marketing": [], "reminders": ["on"]}, to="/profile/mails")
    assert await chosen() == (False, True)
    async with services.uow_factory(lotus.id) as uow:
        rows = (await uow.session.scalars(select(MailChoice))).all()
    assert len(rows) == 4, "one for each change, and none beside"


@pytest.mark.slow
async def test_the_calendar_of_all_dates_is_offered_here(
    guest: Visitor, services: Services, made: Booked
) -> None:
    form = await guest.open(PROFILE)
    page = await guest.submit(to="/profile/calendar")
    path = path_in(page)
    assert len(events(await guest.client.get(path))) == 1
    guest.page = form
    await guest.submit(to="/profile/calendar")
    assert "This address was shown once and cannot be shown again." in guest.text
    assert (await guest.client.get(path)).status_code == 200, "sent twice it makes one"
    await guest.open(f"{PROFILE}/calendar")
    assert guest.text.count("This address was shown once and cannot be shown again.") == 1
    assert (await guest.client.get(path)).status_code == 200, "who enters its page anew ends none"
    await guest.open(PROFILE)
    await guest.submit(to="/profile/calendar/revoke")
    assert "The address has ended." in guest.text
    assert (await guest.client.get(path)).status_code == 410
    for part in ("calendar", "address"):
        again = await guest.client.get(f"{PROFILE}/{part}")
        assert (again.status_code, again.headers["location"].split("#")[0]) == (303, PROFILE)
    assert "was shown once" not in (await guest.client.get(PROFILE)).text


@pytest.mark.slow
async def test_guests_take_their_data_along_without_what_staff_noted(
    guest: Visitor, services: Services, lotus: Business, made: Booked
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await add_note(uow, lotus.ctx, made.order.customer_id, "Talks a lot.")
        await find_or_add_customer(uow, EVE, "Eve Secret", "", uow.clock.now())
    await guest.open(PROFILE)
    got = await guest.submit(to="/me/export")
    assert got.headers["content-type"].startswith("application/json")
    assert got.headers["cache-control"] == "private, no-store"
    assert got.headers["content-disposition"] == 'attachment; filename="my-data-lotus.json"'
    found = msgspec.json.decode(got.content)
    assert found["customers"][0]["email"] == CARL
    assert [one["reference"] for one in found["orders"]] == [made.order.reference]
    assert "Talks a lot." not in got.text
    assert "Eve Secret" not in got.text
    async with services.uow_factory(lotus.id) as uow:
        entry = await uow.session.scalar(
            select(AuditEntry).where(AuditEntry.action == "customer.handed_over")
        )
    assert entry is not None
    assert entry.actor_kind == "guest"


@pytest.mark.slow
async def test_nobody_is_erased_with_a_place_ahead(
    guest: Visitor, services: Services, made: Booked
) -> None:
    await guest.open(f"{ME}/erase")
    assert "You have 1 place on a date to come." in guest.text
    assert "Type “" not in guest.text
    await guest.open(PROFILE)
    await post(guest, f"{ME}/erase", typed=CARL)
    assert "You have 1 place on a date to come." in guest.text
    assert (await carl_of(services, made)).erased_at is None


async def post(guest: Visitor, path: str, **fields: str) -> None:
    """With the token of the page that is open."""
    token = TOKEN.search(guest.text)
    assert token is not None
    data = {"_csrf_token": token[1], **fields}
    guest.page = await guest.client.post(path, data=data, follow_redirects=True)


@pytest.mark.slow
async def test_a_guest_erases_themselves_and_the_ledger_stays(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    made: Booked,
    clock: FrozenClock,
) -> None:
    clock.advance(timedelta(days=8))
    await a_lot(services.uow_factory, lotus.id, number=7)
    await guest.open(f"{ME}/erase")
    for words in ("What goes", "What stays", "1 order", "1 seat", "7 credits that you have left"):
        assert words in guest.text
    await guest.submit({"typed": "carl"}, to="/me/erase", status=422)
    assert (await carl_of(services, made)).erased_at is None
    await guest.submit({"typed": CARL}, to="/me/erase")
    assert guest.path == "/b/lotus"
    assert "You are erased at Lotus" in guest.text
    carl = await carl_of(services, made)
    assert (carl.email, carl.name, carl.phone) == (None, "Erased customer", "")
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        assert (order.reference, order.guest_email) == (made.order.reference, "")
        last = await uow.session.scalar(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))
    assert last is not None
    assert (last.action, last.actor_kind, last.detail) == ("customer.erased", "guest", {})
    await guest.open(ME)
    assert guest.path == f"{ME}/sign-in"
    await guest.submit({"email": CARL}, to="/me/sign-in")
    await work(services, lotus.id)
    assert mailer.sent == [], "nobody has this address any more"


async def test_money_on_a_voucher_stays_good_and_is_told_before_erasing(
    guest: Visitor, services: Services, lotus: Business, made: Booked, clock: FrozenClock
) -> None:
    clock.advance(timedelta(days=8))
    await guest.open(f"{ME}/erase")
    assert "On vouchers" not in guest.text
    carl = made.order.customer_id
    voucher = await a_voucher(services.uow_factory, lotus.id, minor=10_000, customer_id=carl)
    spent = {"code": "SPENT", "state": "pending", "customer_id": carl}
    await a_voucher(services.uow_factory, lotus.id, **spent)
    await a_voucher(services.uow_factory, lotus.id, code="BEAS")
    await guest.open(f"{ME}/erase")
    assert "100,00, which stays good for whoever has the code: keep it" in guest.text
    assert "that of a voucher still works" in guest.text
    await guest.submit({"typed": CARL}, to="/me/erase")
    assert await on_it(services.uow_factory, lotus.id) == 10_000
    await guest.open(voucher_path(services.settings, "lotus", voucher))
    assert voucher.code in guest.text


@pytest.mark.slow
async def test_what_a_guest_typed_in_is_erased_where_its_mail_was_given_up(
    guest: Visitor,
    services: Services,
    lotus: Business,
    made: Booked,
    clock: FrozenClock,
) -> None:
    """The asking of a code knows an address and nobody's id."""
    await post_after(guest, f"{ME}/sign-in", email=CARL)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(text("UPDATE outbox SET parked_at = now()"))
    clock.advance(timedelta(days=8))
    await guest.open(f"{ME}/erase")
    await guest.submit({"typed": CARL}, to="/me/erase")
    async with services.uow_factory(lotus.id) as uow:
        left = (await uow.session.execute(text("SELECT payload FROM outbox"))).scalars().all()
    assert CARL not in str(left)


async def post_after(guest: Visitor, path: str, **fields: str) -> None:
    await guest.open(PROFILE)
    await post(guest, path, **fields)
