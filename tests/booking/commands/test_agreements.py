"""Writing, publishing, asking for and signing agreements."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from src.billing.commands.buy_package import BuyCommand
from src.booking.commands.agreement_signing import NotAgreed, sign_for_order, sign_what_waits
from src.booking.commands.agreements import (
    AskedBy,
    ask_for_agreement,
    change_agreement,
    create_agreement,
    publish_agreement,
    set_agreement_active,
    set_agreements_of,
)
from src.booking.commands.book import ask_quote, book
from src.booking.domain.agreements import AgreementDraft, SignedHow, sha256_of
from src.booking.models import Agreement, AgreementNeed, AgreementVersion
from src.booking.place import place_booking
from src.booking.place_package import place_package
from src.booking.queries.agreements_waiting import (
    count_concerned,
    find_waiting,
    find_waiting_of_order,
    list_lacking,
)
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.models import AuditEntry
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.support.agreements import (
    TEXT,
    an_agreement,
    republish,
    signatures_of,
    signing,
    versions_of,
)
from tests.support.appointments import a_practice
from tests.support.builders import (
    Business,
    a_business,
    a_series,
    a_service,
    a_session,
    as_guest,
)
from tests.support.credits import a_package
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def free_yoga(uow_factory: UowFactory, business: Business, **more: Any) -> tuple[Any, Any]:
    service = await a_service(uow_factory, business.id, price_type="free", **more)
    return service, await a_session(uow_factory, service)


async def test_the_same_id_makes_one_agreement_and_a_taken_address_is_numbered(
    uow_factory: UowFactory, lotus: Business
) -> None:
    draft = AgreementDraft(title="House rules", slug="", text=TEXT)
    first, second = new_id(), new_id()
    async with uow_factory(lotus.id) as uow:
        for agreement_id in (first, first, second):
            await create_agreement(uow, agreement_id, draft)
        slugs = list(await uow.session.scalars(select(Agreement.slug).order_by(Agreement.slug)))
    assert slugs == ["house-rules", "house-rules-2"]


async def test_an_address_that_is_taken_is_said_at_its_field(
    uow_factory: UowFactory, lotus: Business
) -> None:
    await an_agreement(uow_factory, lotus)
    taken = AgreementDraft(title="Another", slug="waiver", text=TEXT)
    with pytest.raises(InvalidInput) as refused:
        async with uow_factory(lotus.id) as uow:
            await create_agreement(uow, new_id(), taken)
    assert set(refused.value.fields) == {"slug"}


async def test_a_text_that_is_the_same_to_read_makes_no_version(
    uow_factory: UowFactory, lotus: Business
) -> None:
    agreement_id = await an_agreement(uow_factory, lotus)
    same = AgreementDraft(title="Waiver 2", slug="", text=TEXT.replace("\n", "  \r\n") + "\r\n")
    async with uow_factory(lotus.id) as uow:
        await change_agreement(uow, agreement_id, same)
    with pytest.raises(Conflict, match="same as in version 1") as refused:
        async with uow_factory(lotus.id) as uow:
            await publish_agreement(uow, lotus.ctx, agreement_id, sha256_of(TEXT))
    assert refused.value.code == "nothing_new"
    assert [one.number for one in await versions_of(uow_factory, lotus)] == [1]


async def test_what_is_published_is_what_was_read(uow_factory: UowFactory, lotus: Business) -> None:
    """Somebody has changed the draft between the page and its button."""
    agreement_id = await an_agreement(uow_factory, lotus)
    other = AgreementDraft(title="Waiver", slug="", text="Other")
    async with uow_factory(lotus.id) as uow:
        await change_agreement(uow, agreement_id, other)
    with pytest.raises(Conflict, match="changed meanwhile"):
        async with uow_factory(lotus.id) as uow:
            await publish_agreement(uow, lotus.ctx, agreement_id, sha256_of("What I read"))
    async with uow_factory(lotus.id) as uow:
        assert await publish_agreement(uow, lotus.ctx, agreement_id, sha256_of("Other")) == 2
        said = await uow.session.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == "agreement.published")
        )
        assert {one["version"]: one["sha256"] for one in said} == {
            1: sha256_of(TEXT),
            2: sha256_of("Other"),
        }


async def test_a_stale_editor_overwrites_nothing(uow_factory: UowFactory, lotus: Business) -> None:
    agreement_id = await an_agreement(uow_factory, lotus)
    draft = AgreementDraft(title="Waiver", slug="", text="Mine")
    with pytest.raises(Conflict, match="changed meanwhile"):
        async with uow_factory(lotus.id) as uow:
            await change_agreement(uow, agreement_id, draft, seen="long ago")


async def test_a_version_and_a_signature_stay_as_they_are(
    uow_factory: UowFactory, lotus: Business
) -> None:
    """Not even the program may change them, or take them away."""
    await an_agreement(uow_factory, lotus)
    for sql in (
        "UPDATE agreement_versions SET text = 'x'",
        "DELETE FROM agreement_versions",
        "UPDATE agreement_signatures SET version_id = id",
        "UPDATE agreement_signatures SET signed_at = now()",
        "DELETE FROM agreement_signatures",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with uow_factory(lotus.id) as uow:
                await uow.session.execute(text(sql))


async def test_a_version_whose_hash_is_not_its_texts_cannot_be_kept(
    uow_factory: UowFactory, lotus: Business
) -> None:
    agreement_id = await an_agreement(uow_factory, lotus)
    with pytest.raises(DBAPIError, match="ck_agreement_versions_hash"):
        async with uow_factory(lotus.id) as uow:
            uow.session.add(
                AgreementVersion(
                    tenant_id=lotus.id,
                    agreement_id=agreement_id,
                    number=2,
                    title="Waiver",
                    text="Other",
                    sha256=sha256_of("Another"),
                    published_at=uow.clock.now(),
                    published_by="Olive",
                )
            )


async def test_what_asks_for_it_is_of_the_same_business(
    uow_factory: UowFactory, lotus: Business
) -> None:
    rival = await a_business(uow_factory, "rival", owner="Eve")
    service = await a_service(uow_factory, rival.id)
    agreement_id = await an_agreement(uow_factory, lotus)
    with pytest.raises(InvalidInput) as refused:
        async with uow_factory(lotus.id) as uow:
            asked = AskedBy(service_ids=frozenset({service.id}))
            await ask_for_agreement(uow, lotus.ctx, agreement_id, asked)
    assert set(refused.value.fields) == {"service_ids"}
    with pytest.raises(NotFound):
        async with uow_factory(rival.id) as uow:
            await set_agreement_active(uow, rival.ctx, agreement_id, active=False)
    with pytest.raises(InvalidInput) as refused:
        async with uow_factory(rival.id) as uow:
            await set_agreements_of(uow, rival.ctx, "service", service.id, [agreement_id])
    assert set(refused.value.fields) == {"agreement_ids"}


async def test_a_service_asks_for_what_was_chosen_on_its_own_page(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service, _session = await free_yoga(uow_factory, lotus)
    first = await an_agreement(uow_factory, lotus, service_ids=[service.id])
    second = await an_agreement(uow_factory, lotus, title="Photos", text="We take photos.")
    async with uow_factory(lotus.id) as uow:
        await set_agreements_of(uow, lotus.ctx, "service", service.id, [second])
    async with uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(AgreementNeed.agreement_id))
        assert list(found) == [second] != [first]
    with pytest.raises(NotFound):
        async with uow_factory(lotus.id) as uow:
            await set_agreements_of(uow, lotus.ctx, "package", service.id, [second])


async def test_nobody_books_without_agreeing_and_signing(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service, session = await free_yoga(uow_factory, lotus)
    await an_agreement(uow_factory, lotus, service_ids=[service.id])
    (version,) = await versions_of(uow_factory, lotus)
    for given, fields in (
        (None, {"agree", "signature"}),
        (signing(), {"agree"}),
        (signing(version.id, name=" \u200b"), {"signature"}),
        (signing(new_id()), {"agree"}),
    ):
        with pytest.raises(NotAgreed) as refused:
            await booked(uow_factory, lotus, a_wish("session", session.id, signing=given))
        assert set(refused.value.fields) == fields
        assert await seats_of(uow_factory, lotus.id) == []
    made = await booked(
        uow_factory, lotus, a_wish("session", session.id, signing=signing(version.id))
    )
    (kept,) = await signatures_of(uow_factory, lotus)
    assert (kept.version_id, kept.order_id, kept.customer_id) == (
        version.id,
        made.order_id,
        made.order.customer_id,
    )
    assert (kept.name, kept.address, kept.browser) == ("Carl Guest", "203.0.113.7", "Firefox")
    assert (kept.how, kept.is_proved) == ("booking", False)


async def test_one_who_has_the_former_text_before_them_is_shown_the_new_one(
    uow_factory: UowFactory, lotus: Business
) -> None:
    """An agreement changed mid-checkout."""
    service, session = await free_yoga(uow_factory, lotus)
    agreement_id = await an_agreement(uow_factory, lotus, service_ids=[service.id])
    (shown,) = await versions_of(uow_factory, lotus)
    await republish(uow_factory, lotus, agreement_id, "Now it is different.")
    wish = a_wish("session", session.id, signing=signing(shown.id))
    with pytest.raises(NotAgreed, match="has changed since you opened this page") as refused:
        await booked(uow_factory, lotus, wish)
    assert [one.number for one in refused.value.missing] == [2]
    assert await signatures_of(uow_factory, lotus) == []


async def test_what_is_switched_off_or_only_a_draft_is_not_asked_for(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service, session = await free_yoga(uow_factory, lotus)
    await an_agreement(uow_factory, lotus, is_published=False, service_ids=[service.id])
    off = await an_agreement(uow_factory, lotus, title="Off", service_ids=[service.id])
    async with uow_factory(lotus.id) as uow:
        await set_agreement_active(uow, lotus.ctx, off, active=False)
    await booked(uow_factory, lotus, a_wish("session", session.id))
    assert await signatures_of(uow_factory, lotus) == []


async def test_a_date_of_a_series_asks_for_what_the_series_does(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, price_type="free")
    term = await a_series(
        uow_factory, service, price_type="free", price_minor=0, drop_in_allowed=True
    )
    loose = await a_session(uow_factory, service, in_days=3)
    await an_agreement(uow_factory, lotus, series_ids=[term.series.id])
    (version,) = await versions_of(uow_factory, lotus)
    await booked(uow_factory, lotus, a_wish("session", loose.id))
    for kind, subject_id in (("series", term.series.id), ("session", term.sessions[0].id)):
        wish = a_wish(kind, subject_id, guest_email=f"{kind}@example.com")
        with pytest.raises(NotAgreed):
            await booked(uow_factory, lotus, wish)
        agreed = a_wish(
            kind, subject_id, guest_email=f"{kind}@example.com", signing=signing(version.id)
        )
        await booked(uow_factory, lotus, agreed)
    assert len(await signatures_of(uow_factory, lotus)) == 2


async def test_who_has_proved_who_they_are_signs_once_for_each_version(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service, session = await free_yoga(uow_factory, lotus)
    agreement_id = await an_agreement(uow_factory, lotus, service_ids=[service.id])
    (version,) = await versions_of(uow_factory, lotus)
    carl = await a_customer(uow_factory, lotus, email="carl@example.com")

    def wish(**more: Any) -> Any:
        return a_wish("session", session.id, **{"party": (str(new_id()),), **more})

    # Somebody who only typed his address has not signed for him.
    await booked(uow_factory, lotus, wish(signing=signing(version.id)))
    with pytest.raises(NotAgreed):
        await booked(uow_factory, lotus, wish(customer_id=carl))
    await booked(uow_factory, lotus, wish(customer_id=carl, signing=signing(version.id)))
    await booked(uow_factory, lotus, wish(customer_id=carl))
    kept = await signatures_of(uow_factory, lotus)
    assert [one.is_proved for one in kept] == [False, True]
    assert {one.customer_id for one in kept} == {carl}
    # And that he has signed spares no stranger with his address, so nobody is told.
    with pytest.raises(NotAgreed):
        await booked(uow_factory, lotus, wish())
    await republish(uow_factory, lotus, agreement_id, "Now it is different.")
    with pytest.raises(NotAgreed):
        await booked(uow_factory, lotus, wish(customer_id=carl))


async def test_a_hold_is_not_given_up_for_what_is_not_agreed_to(
    services: Services, uow_factory: UowFactory, lotus: Business
) -> None:
    """A changed form takes its hold's place; the text has changed too, so it stays."""
    service = await a_service(uow_factory, lotus.id, price_type="on_site")
    session = await a_session(uow_factory, service)
    agreement_id = await an_agreement(uow_factory, lotus, service_ids=[service.id])
    (shown,) = await versions_of(uow_factory, lotus)
    wish = a_wish("session", session.id, signing=signing(shown.id))
    first = await place_booking(services, as_guest(lotus), wish)
    await republish(uow_factory, lotus, agreement_id, "Now it is different.")
    # The very form that has booked leads to its booking, with the text as it was then.
    again = await place_booking(services, as_guest(lotus), wish)
    assert again.order_id == first.order_id
    assert again.again
    other = a_wish("session", session.id, signing=signing(shown.id))
    with pytest.raises(NotAgreed):
        async with uow_factory(lotus.id) as uow:
            await ask_quote(uow, as_guest(lotus), other, instead_of=first.order_id)


async def test_whom_staff_book_for_is_asked_afterwards(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service, session = await free_yoga(uow_factory, lotus)
    agreement_id = await an_agreement(uow_factory, lotus, service_ids=[service.id])
    (version,) = await versions_of(uow_factory, lotus)
    anna = await a_customer(uow_factory, lotus)
    made = await by_staff(uow_factory, lotus, for_anna("session", session.id, anna, pays="free"))
    async with uow_factory(lotus.id) as uow:
        assert [one.title for one in await find_waiting(uow, anna)] == ["Waiver"]
        assert [one.name for one in await list_lacking(uow, agreement_id, limit=5)] == ["Anna"]
        assert await count_concerned(uow, agreement_id) == 1
    with pytest.raises(NotAgreed):
        async with uow_factory(lotus.id) as uow:
            await sign_what_waits(uow, anna, signing(how=SignedHow.PORTAL))
    agreed = signing(version.id, name="Anna", how=SignedHow.LINK)
    async with uow_factory(lotus.id) as uow:
        assert await sign_for_order(uow, anna, made.order_id, agreed) == 1
        await uow.settle()
        assert await sign_for_order(uow, anna, made.order_id, agreed) == 0
    async with uow_factory(lotus.id) as uow:
        assert await find_waiting(uow, anna) == []
        assert await find_waiting_of_order(uow, anna, made.order_id) == []
        assert await list_lacking(uow, agreement_id, limit=5) == []
    (kept,) = await signatures_of(uow_factory, lotus)
    assert (kept.how, kept.is_proved, kept.order_id) == ("link", False, made.order_id)


async def test_a_new_version_is_asked_of_who_has_something_to_come(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service, session = await free_yoga(uow_factory, lotus)
    agreement_id = await an_agreement(uow_factory, lotus, service_ids=[service.id])
    (version,) = await versions_of(uow_factory, lotus)
    made = await booked(
        uow_factory, lotus, a_wish("session", session.id, signing=signing(version.id))
    )
    carl = made.order.customer_id
    async with uow_factory(lotus.id) as uow:
        assert await find_waiting(uow, carl) == []
    await republish(uow_factory, lotus, agreement_id, "Now it is different.")
    async with uow_factory(lotus.id) as uow:
        (waits,) = await find_waiting(uow, carl)
        assert waits.number == 2
        assert await sign_what_waits(uow, carl, signing(waits.version_id)) == 1
        await uow.settle()
        assert await find_waiting(uow, carl) == []
        assert await sign_what_waits(uow, carl, signing(waits.version_id)) == 0
    assert [one.is_proved for one in await signatures_of(uow_factory, lotus)] == [False, True]


async def test_a_package_asks_for_its_own_when_it_is_bought(
    services: Services, uow_factory: UowFactory, lotus: Business
) -> None:
    package = await a_package(uow_factory, lotus.id, price_minor=0, pays=[])
    agreement_id = await an_agreement(uow_factory, lotus, package_ids=[package.id])
    (version,) = await versions_of(uow_factory, lotus)
    wish = BuyCommand(
        package_id=package.id,
        guest_name="Carl",
        guest_email="carl@example.com",
        form_token=str(new_id()),
    )
    with pytest.raises(NotAgreed):
        await place_package(services, as_guest(lotus), wish)
    await place_package(services, as_guest(lotus), wish, signing=signing(version.id))
    await place_package(services, as_guest(lotus), wish, signing=signing(version.id))
    (kept,) = await signatures_of(uow_factory, lotus)
    assert kept.order_id is not None
    async with uow_factory(lotus.id) as uow:
        assert await find_waiting(uow, kept.customer_id) == []
    await republish(uow_factory, lotus, agreement_id, "Now it is different.")
    async with uow_factory(lotus.id) as uow:
        assert [one.number for one in await find_waiting(uow, kept.customer_id)] == [2]
        assert len(await list_lacking(uow, agreement_id, limit=5)) == 1


async def test_signatures_go_over_with_a_merge(uow_factory: UowFactory, lotus: Business) -> None:
    service, session = await free_yoga(uow_factory, lotus)
    await an_agreement(uow_factory, lotus, service_ids=[service.id])
    (version,) = await versions_of(uow_factory, lotus)
    gone = await a_customer(uow_factory, lotus, email="carl@example.com")
    kept = await a_customer(uow_factory, lotus, email="karl@example.com")
    wish = a_wish("session", session.id, customer_id=gone, signing=signing(version.id))
    await booked(uow_factory, lotus, wish)
    async with uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, gone, kept)
    (signature,) = await signatures_of(uow_factory, lotus)
    assert signature.customer_id == kept
    again = a_wish("session", session.id, customer_id=kept, party=("Kim",))
    await booked(uow_factory, lotus, again)


async def test_what_is_over_or_given_up_asks_for_nothing_more(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service, session = await free_yoga(uow_factory, lotus)
    anna = await a_customer(uow_factory, lotus)
    await by_staff(uow_factory, lotus, for_anna("session", session.id, anna, pays="free"))
    await an_agreement(uow_factory, lotus, service_ids=[service.id])
    for column, value in (("state", "cancelled"), ("state", "late_cancelled")):
        async with uow_factory(lotus.id) as uow:
            await uow.session.execute(text(f"UPDATE seats SET {column} = '{value}'"))
            assert await find_waiting(uow, anna) == []


async def test_the_command_itself_asks_and_not_only_its_form(
    uow_factory: UowFactory, lotus: Business
) -> None:
    """Appointments come the same way, so this is about who calls `book`."""
    service, session = await free_yoga(uow_factory, lotus)
    agreement_id = await an_agreement(uow_factory, lotus, service_ids=[service.id])
    async with uow_factory(lotus.id) as uow:
        with pytest.raises(NotAgreed):
            await book(uow, as_guest(lotus), a_wish("session", session.id))
        await uow.session.execute(
            update(Agreement).where(Agreement.id == agreement_id).values(active=False)
        )
        await book(uow, as_guest(lotus), a_wish("session", session.id))


async def test_an_appointment_asks_for_what_its_service_does(
    uow_factory: UowFactory, lotus: Business
) -> None:
    practice = await a_practice(uow_factory, lotus)
    await an_agreement(uow_factory, lotus, service_ids=[practice.service.id])
    (version,) = await versions_of(uow_factory, lotus)
    starts_at = at_ten(uow_factory(lotus.id).clock.now())
    with pytest.raises(NotAgreed):
        await booked(uow_factory, lotus, practice.wish(starts_at))
    wish = practice.wish(starts_at, signing=signing(version.id))
    made = await booked(uow_factory, lotus, wish)
    (kept,) = await signatures_of(uow_factory, lotus)
    assert kept.order_id == made.order_id


def at_ten(now: datetime) -> datetime:
    """On the next Wednesday but one, when everybody works."""
    day = now + timedelta(days=7 + (2 - now.weekday()) % 7)
    return day.replace(hour=9, minute=0, second=0, microsecond=0)
