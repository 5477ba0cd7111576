"""Publishing a version while somebody signs the former one.

What is signed is what was shown, and no signature is of a version that was replaced before it: one
act is held open until the other waits for it. The control takes the lock off and shows the race.
"""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from src.booking.commands import agreement_signing
from src.booking.commands.agreement_signing import NotAgreed, sign_what_waits
from src.booking.commands.agreements import change_agreement, publish_agreement
from src.booking.commands.book import book
from src.booking.domain.agreements import AgreementDraft, sha256_of
from src.booking.models import Session
from tests.booking.commands.test_book import a_wish, booked
from tests.conftest import Committing
from tests.support.agreements import an_agreement, signatures_of, signing, versions_of
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.locks import until_somebody_waits

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

NEW = "Now it is different."


async def a_shop(committing: Committing) -> tuple[Business, Session, UUID]:
    factory = committing.uow_factory
    business = await a_business(factory)
    service = await a_service(factory, business.id, price_type="free")
    session = await a_session(factory, service)
    agreement_id = await an_agreement(factory, business, service_ids=[service.id])
    async with factory(business.id) as uow:
        draft = AgreementDraft(title="Waiver", slug="", text=NEW)
        await change_agreement(uow, agreement_id, draft)
    return business, session, agreement_id


async def publish(committing: Committing, business: Business, agreement_id: UUID) -> None:
    async with committing.uow_factory(business.id) as uow:
        await publish_agreement(uow, business.ctx, agreement_id, sha256_of(NEW))


async def test_who_signs_while_a_version_is_published_is_shown_the_new_one(
    committing: Committing,
) -> None:
    business, session, agreement_id = await a_shop(committing)
    factory = committing.uow_factory
    (shown,) = await versions_of(factory, business)
    wish = a_wish("session", session.id, signing=signing(shown.id))
    async with factory(business.id) as uow:
        await publish_agreement(uow, business.ctx, agreement_id, sha256_of(NEW))
        coming = asyncio.create_task(booked(factory, business, wish))
        await until_somebody_waits(factory)
    with pytest.raises(NotAgreed, match="has changed") as refused:
        await coming
    assert [one.text for one in refused.value.missing] == [NEW]
    assert await signatures_of(factory, business) == []


async def test_who_publishes_waits_for_who_is_signing(committing: Committing) -> None:
    business, session, agreement_id = await a_shop(committing)
    factory = committing.uow_factory
    (shown,) = await versions_of(factory, business)
    async with factory(business.id) as uow:
        wish = a_wish("session", session.id, signing=signing(shown.id))
        await book(uow, as_guest(business), wish)
        publishing = asyncio.create_task(publish(committing, business, agreement_id))
        await until_somebody_waits(factory)
    await publishing
    (kept,) = await signatures_of(factory, business)
    first, second = await versions_of(factory, business)
    assert kept.version_id == first.id
    assert kept.signed_at <= second.published_at


async def test_control_without_the_lock_a_replaced_version_is_signed(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version was read, then another one was published, then the former one was signed."""
    business, session, agreement_id = await a_shop(committing)
    factory = committing.uow_factory
    (shown,) = await versions_of(factory, business)
    found = agreement_signing.find_needed

    async def unlocked(uow: Any, **more: Any) -> Any:
        needed = await found(uow, **{**more, "is_signing": False})
        await publish(committing, business, agreement_id)
        return needed

    monkeypatch.setattr(agreement_signing, "find_needed", unlocked)
    await booked(factory, business, a_wish("session", session.id, signing=signing(shown.id)))
    (kept,) = await signatures_of(factory, business)
    first, _second = await versions_of(factory, business)
    assert kept.version_id == first.id


async def test_two_who_publish_at_once_make_one_version(committing: Committing) -> None:
    business, _session, agreement_id = await a_shop(committing)
    outcomes = await asyncio.gather(
        *(publish(committing, business, agreement_id) for _one in range(4)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["Conflict"] * 3 + ["NoneType"]
    assert [one.number for one in await versions_of(committing.uow_factory, business)] == [1, 2]


async def test_a_button_that_is_pressed_twice_signs_once(committing: Committing) -> None:
    business, session, agreement_id = await a_shop(committing)
    factory = committing.uow_factory
    (shown,) = await versions_of(factory, business)
    wish = a_wish("session", session.id, signing=signing(shown.id))
    made = await booked(factory, business, wish)
    await publish(committing, business, agreement_id)
    _first, second = await versions_of(factory, business)

    async def sign() -> int:
        async with factory(business.id) as uow:
            return await sign_what_waits(uow, made.order.customer_id, signing(second.id))

    assert sorted(await asyncio.gather(*(sign() for _one in range(5)))) == [0, 0, 0, 0, 1]
    assert len(await signatures_of(factory, business)) == 2
