"""What asks for which agreement, in the version that holds now, and who has signed it."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, or_, select

from src.booking.domain.agreements import Needed, Signed, to_ask
from src.booking.models import (
    Agreement,
    AgreementNeed,
    AgreementSignature,
    AgreementVersion,
)
from src.platform.db.uow import UnitOfWork


async def find_needed(
    uow: UnitOfWork,
    *,
    service_id: UUID | None = None,
    series_id: UUID | None = None,
    package_id: UUID | None = None,
    is_signing: bool = False,
) -> list[Needed]:
    """What one who books or buys this is to have agreed to, as it is now.

    With `is_signing` no new version of it is published until COMMIT: whoever publishes is waited
    for, and the version is read after that.
    """
    asked = select(Agreement.id).where(
        Agreement.tenant_id == uow.tenant,
        Agreement.active,
        Agreement.id.in_(
            select(AgreementNeed.agreement_id).where(
                AgreementNeed.tenant_id == uow.tenant,
                _is_for(service_id, series_id, package_id),
            )
        ),
    )
    if is_signing:
        asked = asked.order_by(Agreement.id).with_for_update(read=True)
    ids = list(await uow.session.scalars(asked))
    return await find_newest(uow, ids) if ids else []


def _is_for(
    service_id: UUID | None, series_id: UUID | None, package_id: UUID | None
) -> ColumnElement[bool]:
    named = (
        (AgreementNeed.service_id, service_id),
        (AgreementNeed.series_id, series_id),
        (AgreementNeed.package_id, package_id),
    )
    return or_(false(), *(column == one for column, one in named if one is not None))


async def find_newest(uow: UnitOfWork, agreement_ids: Collection[UUID]) -> list[Needed]:
    """The newest version of each that has one, in the order of their numbers."""
    found = await uow.session.execute(
        newest_versions(uow).where(AgreementVersion.agreement_id.in_(agreement_ids))
    )
    return [
        Needed(
            agreement_id=version.agreement_id,
            slug=slug,
            version_id=version.id,
            number=version.number,
            title=version.title,
            text=version.text,
            sha256=version.sha256,
        )
        for version, slug in found.tuples()
    ]


def newest_versions(uow: UnitOfWork) -> Select[Any]:
    """Of each agreement the version that holds, with the agreement's address."""
    return (
        select(AgreementVersion, Agreement.slug)
        .join(
            Agreement,
            (Agreement.tenant_id == AgreementVersion.tenant_id)
            & (Agreement.id == AgreementVersion.agreement_id),
        )
        .where(AgreementVersion.tenant_id == uow.tenant)
        .distinct(AgreementVersion.agreement_id)
        .order_by(AgreementVersion.agreement_id, AgreementVersion.number.desc())
    )


async def find_signed(
    uow: UnitOfWork, customer_id: UUID, version_ids: Iterable[UUID]
) -> list[Signed]:
    """The customer's signatures of these versions."""
    found = await uow.session.execute(
        select(
            AgreementSignature.version_id,
            AgreementSignature.order_id,
            AgreementSignature.is_proved,
        ).where(
            AgreementSignature.tenant_id == uow.tenant,
            AgreementSignature.customer_id == customer_id,
            AgreementSignature.version_id.in_(list(version_ids)),
        )
    )
    return [Signed(*row) for row in found.tuples()]


async def find_to_ask(
    uow: UnitOfWork, needed: Sequence[Needed], customer_id: UUID | None
) -> list[Needed]:
    """What is to be signed with something new by the customer who has proved who they are; by
    anybody else, who is None here, all of it.
    """
    if not needed:
        return []
    version_ids = [one.version_id for one in needed]
    signed = [] if customer_id is None else await find_signed(uow, customer_id, version_ids)
    return to_ask(needed, signed)


async def find_needed_by_things(uow: UnitOfWork) -> dict[UUID, list[Needed]]:
    """By the id of a service, series or package what that itself asks for, by title; for lists."""
    thing = func.coalesce(
        AgreementNeed.service_id, AgreementNeed.series_id, AgreementNeed.package_id
    )
    found = await uow.session.execute(
        select(thing, AgreementNeed.agreement_id)
        .join(
            Agreement,
            (Agreement.tenant_id == AgreementNeed.tenant_id)
            & (Agreement.id == AgreementNeed.agreement_id),
        )
        .where(AgreementNeed.tenant_id == uow.tenant, Agreement.active)
    )
    pairs = list(found.tuples())
    if not pairs:
        return {}
    newest = {one.agreement_id: one for one in await find_newest(uow, {one for _t, one in pairs})}
    needed: dict[UUID, list[Needed]] = {}
    for thing_id, agreement_id in pairs:
        if agreement_id in newest:
            needed.setdefault(thing_id, []).append(newest[agreement_id])
    return {thing_id: to_ask(asked, []) for thing_id, asked in needed.items()}
