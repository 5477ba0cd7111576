"""A business words its mails: refused by name, previewed with what it has, sent as it was seen."""

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.fees import NewFee, ask_fees
from src.billing.domain.kinds import FeeKind
from src.billing.models import Order
from src.booking.models import Seat, Session, WaitlistEntry
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.commands.wordings import get_mail_kind
from src.tenants.domain.wording import Wording
from src.tenants.queries.wordings import find_wordings
from src.tenants.worded_mails import MailKind, Preview, Wordings, mail_kinds
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import send
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.credits import a_lot, a_package
from tests.support.mail import RememberingMailer
from tests.support.work import work
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/settings/mails"
CONFIRMED = f"{HOME}/confirmed"
PREVIEW = f"{CONFIRMED}/preview"
HOSTILE = "<script>alert(1)</script> {booking_link} & %s {{7*7}}\r\nBcc: eve@example.com"
KINDS = ["confirmed", "payment_link", "reminder", "sessions_changed", "seats_cancelled"]
KINDS += ["refunded", "refund_failed", "payment_too_late", "waitlist_joined", "places_offered"]
KINDS += ["waitlist_moved", "waitlist_closed", "waitlist_removed"]
KINDS += ["credits_changed"]
KINDS += ["portal_code"]
KINDS += ["held_cancelled", "seats_moved", "leaving_asked", "leaving_declined", "calendar_link"]
KINDS += ["group_post"]
KINDS += ["place_given", "place_passed_on", "place_reminder", "place_changed", "place_off"]
KINDS += ["voucher", "voucher_bought"]
KINDS += ["transfer_awaited", "transfer_reminder", "transfer_part", "transfer_over"]
KINDS += ["card_kept"]
KINDS += ["transfer_not_due", "transfer_sent_back"]
KINDS += ["part_coming", "part_to_pay", "part_paid", "part_failed", "part_overdue", "part_waived"]
KINDS += ["fee_asked", "fee_forgiven", "fee_paid"]
KINDS += ["worksheet"]
KINDS += ["credits_warning", "credits_expired", "package_bought", "package_lapsed"]


@pytest.fixture
async def lotus(client: AsyncClient, services: Services) -> Business:
    business = await a_business(services.uow_factory, contact_email="hello@lotus.example")
    await sign_in(client, services, business.owner.id)
    return business


async def a_booking(services: Services, business: Business, name: str = "Carl") -> None:
    service = await a_service(services.uow_factory, business.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    wish = a_wish("session", session.id, guest_name=name, party=(name, "Kid"))
    await booked(services.uow_factory, business, wish)


async def a_bought_package(services: Services, business: Business, name: str) -> None:
    package = await a_package(services.uow_factory, business.id, price_minor=0, pays=[])
    wish = BuyCommand(
        package_id=package.id,
        guest_name=name,
        guest_email="buyer@example.com",
        form_token=str(new_id()),
    )
    async with services.uow_factory(business.id) as uow:
        await buy_package(uow, as_guest(business), wish)


async def a_plan(services: Services, business: Business, name: str) -> None:
    """A package in parts, of which the first waits to be paid."""
    package = await a_package(services.uow_factory, business.id, parts=4)
    async with services.uow_factory(business.id) as uow:
        now = uow.clock.now()
        customer_id = await find_or_add_customer(uow, "plan@example.com", name, "", now)
    wish = BuyCommand(
        package_id=package.id,
        guest_name=name,
        guest_email="plan@example.com",
        customer_id=customer_id,
        form_token=str(new_id()),
        in_parts=True,
    )
    async with services.uow_factory(business.id) as uow:
        await buy_package(uow, as_guest(business), wish)


async def a_fee(services: Services, business: Business) -> None:
    """For the latest booking's order, whose guest did not come."""
    async with services.uow_factory(business.id) as uow:
        found = await uow.session.execute(
            select(Seat.id, Order.id.label("order_id"), Order.customer_id)
            .join(Order, (Order.tenant_id == Seat.tenant_id) & (Order.id == Seat.order_id))
            .where(Seat.tenant_id == business.id)
            .limit(1)
        )
        seat = found.one()
        fee = NewFee(
            subject_id=seat.id,
            order_id=seat.order_id,
            customer_id=seat.customer_id,
            kind=FeeKind.NO_SHOW,
            amount_minor=500,
            currency=business.tenant.currency,
            what="Yoga",
            starts_at=uow.clock.now(),
        )
        await ask_fees(uow, [fee], by="staff")


async def somebody_waits(services: Services, business: Business, name: str) -> None:
    async with services.uow_factory(business.id) as uow:
        now = uow.clock.now()
        uow.session.add(
            WaitlistEntry(
                tenant_id=business.id,
                session_id=await uow.session.scalar(select(Session.id)),
                address="carl@example.com",
                name=name,
                locale="nl",
                party_size=2,
                joined_at=now,
                queued_at=now,
            )
        )


def everything_in(kind: MailKind) -> Wording:
    """All placeholders, within a sentence and each in a paragraph of its own."""
    named = [f"{{{name}}}" for name in kind.names]
    return Wording(subject=" ".join(named), body="\n\n".join([" ".join(named), *named]))


def test_every_mail_to_guests_can_be_worded() -> None:
    assert sorted(kind.key for kind in mail_kinds()) == sorted(KINDS)


@pytest.mark.parametrize("key", KINDS)
@pytest.mark.parametrize("name", [None, HOSTILE])
async def test_every_mail_is_rendered_with_every_placeholder(
    services: Services, lotus: Business, key: str, name: str | None
) -> None:
    """With a latest booking and without any; and whatever a guest calls themselves."""
    if name is not None:
        await a_booking(services, lotus, name)
        await somebody_waits(services, lotus, name)
        await a_bought_package(services, lotus, name)
        await a_plan(services, lotus, name)
        await a_fee(services, lotus)
        await a_lot(services.uow_factory, lotus.id, "fresh@example.com", owner=name)
    [kind] = [one for one in mail_kinds() if one.key == key]
    starter = Wording(subject=kind.starter_subject, body=kind.starter)
    for wording in (None, starter, everything_in(kind)):
        asked = Preview(
            settings=services.settings,
            tenant=lotus.tenant,
            locale="en",
            wordings=Wordings({} if wording is None else {(key, "en"): wording}),
        )
        async with services.uow_factory(lotus.id) as uow:
            mail = await kind.preview(uow, asked)
        for part in (mail.one_line, mail.text, mail.html):
            assert part.strip()
        assert "\n" not in mail.one_line
        assert "<script" not in mail.html
        if wording is not None:
            assert "{customer_name}" not in mail.text
        if name is not None:
            assert "<script>alert(1)</script> {booking_link} & %s {{7*7}}" in mail.text
            assert "&lt;script&gt;" in mail.html
        if key in ("sessions_changed", "waitlist_moved"):
            assert "Before: " in mail.text


async def test_an_unknown_placeholder_is_refused_by_its_name(
    client: AsyncClient, lotus: Business
) -> None:
    typed = {"language": "en", "subject": "Hi", "body": "Dear {first_name}"}
    for place in ("", "/preview"):
        shown = await send(client, CONFIRMED, typed, to=CONFIRMED + place)
        assert shown.status_code == 422
        assert "There is no {first_name} in this mail." in shown.text
        assert "Dear {first_name}" in shown.text


@pytest.mark.parametrize(("place", "at"), [("", ""), ("/preview", CONFIRMED)])
async def test_refused_words_are_found_again_in_their_language(
    client: AsyncClient, lotus: Business, place: str, at: str
) -> None:
    typed = {"language": "en", "subject": "Hi", "body": "Dear {first_name}"}
    shown = await send(client, CONFIRMED, typed, to=CONFIRMED + place)
    assert f'data-again="{at}?language=en"' in shown.text


async def test_saved_words_are_sent_and_reset_again(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    typed = {
        "language": "en",
        "subject": "Wonderful, {customer_name}",
        "body": "Bring a mat.\n\n{dates}\n\n{booking_link}",
    }
    saved = await send(client, CONFIRMED, typed)
    assert saved.status_code == 303
    assert "Your own: English" in (await client.get(HOME)).text
    await a_booking(services, lotus)
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert mail.subject == "Wonderful, Carl"
    assert mail.body.startswith("Bring a mat.\n\n- ")
    assert "See your booking: http" in mail.body
    [(html, _kind)] = mail.alternatives
    assert "Bring a mat." in html
    assert len(mail.attachments) == 1, "the calendar file goes along with any words"
    await send(client, CONFIRMED, {}, to=f"{CONFIRMED}/reset")
    assert "Your own" not in (await client.get(HOME)).text


async def test_the_preview_has_the_latest_booking_in_it_and_changes_nothing(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await a_booking(services, lotus, "Dora")
    typed = {"language": "en", "subject": "Hi {customer_name}", "body": "{people} come\n\n{dates}"}
    html = await send(client, CONFIRMED, typed, to=PREVIEW)
    assert "2 come" in html.text
    assert "sandbox" in html.headers["content-security-policy"]
    text = await send(client, CONFIRMED, {**typed, "as": "text"}, to=PREVIEW)
    assert text.text.startswith("Subject: Hi Dora\n\n2 come")
    assert text.headers["content-type"].startswith("text/plain")
    assert "Your own" not in (await client.get(HOME)).text


async def test_words_serve_their_language_wherever_it_is_spoken(
    client: AsyncClient, services: Services, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory, locale="en-GB")
    await sign_in(client, services, lotus.owner.id)
    await send(client, CONFIRMED, {"subject": "Ours", "body": "{dates}"})
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    for locale in ("en", "en-GB", "en-US", "de"):
        await booked(services.uow_factory, lotus, a_wish("session", session.id, locale=locale))
    await work(services, lotus.id)
    assert [mail.subject for mail in mailer.sent] == ["Ours"] * 3 + ["You are booked: Yoga"]
    for mail in mailer.sent:
        assert "If you cannot come:" in mail.body, "the terms are said whatever the words are"
        assert "See your booking: http" in mail.body, "and so is the way to the booking"


async def test_a_mail_that_is_none_is_absent(client: AsyncClient, lotus: Business) -> None:
    assert (await client.get(f"{HOME}/nonsense")).status_code == 404
    assert (await client.get(f"{HOME}/confirmed?language=xx")).status_code == 200


async def test_other_businesses_keep_their_words(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    rival = await a_business(services.uow_factory, "rival", owner="Eve")
    await send(client, CONFIRMED, {"language": "en", "subject": "Ours", "body": "{dates}"})
    await a_booking(services, rival)
    await work(services, rival.id)
    assert [mail.subject for mail in mailer.sent] == ["You are booked: Yoga"]


async def test_the_standard_mail_is_shown_and_kept_where_nothing_is_changed(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """What the form begins with is not what is sent."""
    await a_booking(services, lotus)
    cancelled = f"{HOME}/seats_cancelled"
    assert "Guests get the standard mail now" in (await client.get(cancelled)).text
    shown = await send(client, cancelled, {"as": "standard"}, to=f"{cancelled}/preview")
    assert "has cancelled" in shown.text
    sent = await send(client, cancelled, {})
    unchanged = await client.get(sent.headers["location"])
    assert "You changed nothing" in unchanged.text
    assert "Your own words" not in unchanged.text
    await send(client, cancelled, {"as_they_are": "on"})
    assert "Your own words" in (await client.get(cancelled)).text
    await send(client, cancelled, {"body": "Off.\n\n{dates}"})
    own = (await client.get(cancelled)).text
    assert "Your own words" in own
    assert "Guests get the standard mail now" not in own


async def test_saving_the_proposal_takes_back_what_another_tab_has_saved(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """Once the mail has own words, the later save is a change like any."""
    kind = get_mail_kind("seats_cancelled")
    proposal = Wording(subject=kind.starter_subject, body=kind.starter)
    typed = {"subject": proposal.subject, "body": proposal.body}
    await send(client, f"{HOME}/seats_cancelled", {"body": "Off.\n\n{dates}"})
    await send(client, f"{HOME}/seats_cancelled", typed)
    async with services.uow_factory(lotus.id) as uow:
        own = (await find_wordings(uow)).by_mail
    assert own[kind.key, "en"].body == proposal.body.strip()
