"""An agreement that guests sign, and who has."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from src.booking.commands.agreements import (
    AskedBy,
    ask_for_agreement,
    change_agreement,
    create_agreement,
    get_agreement,
    publish_agreement,
)
from src.booking.domain.agreements import AgreementDraft, SignedHow, Signing, sha256_of
from src.booking.models import AgreementSignature, AgreementVersion
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from tests.support.builders import Business

TEXT = "You climb at your own risk.\nShoes stay on."


async def an_agreement(
    uow_factory: UowFactory,
    business: Business,
    *,
    title: str = "Waiver",
    text: str = TEXT,
    is_published: bool = True,
    **asked: Any,
) -> UUID:
    """Published once, and asked for by `service_ids`, `series_ids` and `package_ids`."""
    agreement_id, factory = new_id(), uow_factory
    draft = AgreementDraft(title=title, slug="", text=text)
    async with factory(business.id) as uow:
        await create_agreement(uow, agreement_id, draft)
        if is_published:
            await publish_agreement(uow, business.ctx, agreement_id, sha256_of(text))
        by = AskedBy(**{name: frozenset(ids) for name, ids in asked.items()})
        await ask_for_agreement(uow, business.ctx, agreement_id, by)
    return agreement_id


async def republish(
    uow_factory: UowFactory, business: Business, agreement_id: UUID, text: str
) -> int:
    """A new version with that text; returns its number."""
    async with uow_factory(business.id) as uow:
        row = await get_agreement(uow, agreement_id)
        draft = AgreementDraft(title=row.title, slug="", text=text)
        await change_agreement(uow, agreement_id, draft)
        return await publish_agreement(uow, business.ctx, agreement_id, sha256_of(text))


async def versions_of(uow_factory: UowFactory, business: Business) -> list[AgreementVersion]:
    """In the order of their publishing."""
    async with uow_factory(business.id) as uow:
        found = await uow.session.scalars(
            select(AgreementVersion).order_by(AgreementVersion.published_at, AgreementVersion.id)
        )
        return list(found)


async def signatures_of(uow_factory: UowFactory, business: Business) -> list[AgreementSignature]:
    """In the order of their making."""
    async with uow_factory(business.id) as uow:
        found = await uow.session.scalars(
            select(AgreementSignature).order_by(AgreementSignature.signed_at, AgreementSignature.id)
        )
        return list(found)


def signing(*version_ids: UUID, name: str = "Carl Guest", **more: Any) -> Signing:
    """Carl agrees."""
    return Signing(
        **{
            "version_ids": version_ids,
            "name": name,
            "address": "203.0.113.7",
            "browser": "Firefox",
            "how": SignedHow.BOOKING,
            **more,
        }
    )
