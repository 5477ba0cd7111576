"""A business's agreements as its pages list them, and one signature with all that is known."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from src.billing.domain.kinds import OrderState
from src.billing.models import Order, Package
from src.booking.commands.agreements import get_agreement, no_such_agreement
from src.booking.domain.agreements import Needed
from src.booking.models import (
    Agreement,
    AgreementNeed,
    AgreementSignature,
    AgreementVersion,
    Series,
    Service,
)
from src.booking.queries.agreements import find_newest
from src.booking.views.agreements import AgreementRow, SignatureRow, VersionRow
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.models import Customer

MOST_EXPORTED = 100_000


class SignatureFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A signature with the text under which it stands."""

    row: SignatureRow
    text: str
    sha256: str
    published_at: datetime
    address: str
    browser: str


async def list_agreements(uow: UnitOfWork) -> list[AgreementRow]:
    """By title, those that are switched off last."""
    return await _rows(uow, Agreement.tenant_id == uow.tenant)


async def get_agreement_row(uow: UnitOfWork, agreement_id: UUID) -> AgreementRow:
    """Raises: NotFound."""
    found = await _rows(uow, Agreement.id == agreement_id)
    if not found:
        raise no_such_agreement()
    return found[0]


async def _rows(uow: UnitOfWork, which: ColumnElement[bool]) -> list[AgreementRow]:
    newest = (
        select(AgreementVersion)
        .where(AgreementVersion.tenant_id == uow.tenant)
        .distinct(AgreementVersion.agreement_id)
        .order_by(AgreementVersion.agreement_id, AgreementVersion.number.desc())
        .subquery("newest")
    )
    asked = (
        select(func.count())
        .where(
            AgreementNeed.tenant_id == Agreement.tenant_id,
            AgreementNeed.agreement_id == Agreement.id,
        )
        .correlate(Agreement)
        .scalar_subquery()
    )
    found = await uow.session.execute(
        select(
            Agreement,
            func.coalesce(newest.c.number, 0).label("number"),
            newest.c.published_at,
            newest.c.text,
            newest.c.id.label("version_id"),
            asked.label("asked_by"),
        )
        .outerjoin(newest, newest.c.agreement_id == Agreement.id)
        .where(Agreement.tenant_id == uow.tenant, which)
        .order_by(Agreement.active.desc(), func.lower(Agreement.title), Agreement.id)
    )
    rows = found.all()
    counts = await count_signed(uow, [row.version_id for row in rows if row.version_id])
    return [
        AgreementRow(
            id=row.Agreement.id,
            slug=row.Agreement.slug,
            title=row.Agreement.title,
            active=row.Agreement.active,
            number=row.number,
            published_at=row.published_at,
            is_changed=row.Agreement.draft != row.text,
            signed=counts.get(row.version_id, 0),
            asked_by=row.asked_by,
        )
        for row in rows
    ]


async def count_signed(uow: UnitOfWork, version_ids: list[UUID]) -> dict[UUID, int]:
    """By version, the signatures that count."""
    found = await uow.session.execute(
        _counted(select(AgreementSignature.version_id, func.count()))
        .where(
            AgreementSignature.tenant_id == uow.tenant,
            AgreementSignature.version_id.in_(version_ids),
        )
        .group_by(AgreementSignature.version_id)
    )
    return dict(found.tuples().all())


def _counted(statement: Select[Any]) -> Select[Any]:
    """Without those that came with a booking which was never made."""
    return statement.outerjoin(
        Order,
        and_(
            Order.tenant_id == AgreementSignature.tenant_id, Order.id == AgreementSignature.order_id
        ),
    ).where(or_(AgreementSignature.is_proved, Order.state == str(OrderState.CONFIRMED)))


async def list_versions(uow: UnitOfWork, agreement_id: UUID) -> list[VersionRow]:
    """The newest first."""
    found = await uow.session.scalars(
        select(AgreementVersion)
        .where(
            AgreementVersion.tenant_id == uow.tenant,
            AgreementVersion.agreement_id == agreement_id,
        )
        .order_by(AgreementVersion.number.desc())
    )
    versions = list(found)
    counts = await count_signed(uow, [one.id for one in versions])
    return [
        VersionRow(
            number=one.number,
            title=one.title,
            published_at=one.published_at,
            published_by=one.published_by,
            signed=counts.get(one.id, 0),
        )
        for one in versions
    ]


async def get_version(uow: UnitOfWork, agreement_id: UUID, number: int) -> AgreementVersion:
    """Raises: NotFound."""
    found: AgreementVersion | None = await uow.session.scalar(
        select(AgreementVersion).where(
            AgreementVersion.tenant_id == uow.tenant,
            AgreementVersion.agreement_id == agreement_id,
            AgreementVersion.number == number,
        )
    )
    if found is None:
        raise no_such_agreement()
    return found


async def list_asked_by(uow: UnitOfWork, agreement_id: UUID, base: str) -> list[tuple[str, str]]:
    """What asks for it, by name, each with its page."""
    found = await uow.session.execute(
        select(Service.id, Service.name, Series.id, Series.title, Package.id, Package.name)
        .select_from(AgreementNeed)
        .outerjoin(Service, _same(Service, AgreementNeed.service_id))
        .outerjoin(Series, _same(Series, AgreementNeed.series_id))
        .outerjoin(Package, _same(Package, AgreementNeed.package_id))
        .where(AgreementNeed.tenant_id == uow.tenant, AgreementNeed.agreement_id == agreement_id)
    )
    things: list[tuple[str, str]] = []
    for row in found:
        places = ("services/{}/agreements", "series/{}", "packages/{}")
        named = zip(row[::2], row[1::2], places, strict=True)
        things += [(name, f"{base}/{place.format(one)}") for one, name, place in named if one]
    return sorted(things, key=lambda one: (one[0].casefold(), one[1]))


def _same(table: Any, column: Any) -> ColumnElement[bool]:
    return and_(table.tenant_id == AgreementNeed.tenant_id, table.id == column)


async def list_signatures(
    uow: UnitOfWork,
    agreement_id: UUID,
    *,
    search: str = "",
    limit: int = MOST_EXPORTED,
    offset: int = 0,
) -> list[SignatureRow]:
    """Newest first, of every version; `search` is in the name that was typed, the customer's or
    their address.
    """
    statement = _signatures(uow).where(AgreementVersion.agreement_id == agreement_id)
    if search:
        like = f"%{search.replace('%', '').replace('_', '')}%"
        fields = (AgreementSignature.name, Customer.name, Customer.email, Order.guest_email)
        statement = statement.where(or_(*(field.ilike(like) for field in fields)))
    found = await uow.session.execute(
        _counted_rows(statement).order_by(*_NEWEST).limit(limit).offset(offset)
    )
    return [_signature(row) for row in found]


async def list_signatures_of(uow: UnitOfWork, customer_id: UUID) -> list[SignatureRow]:
    """All of one customer that count, newest first."""
    found = await uow.session.execute(
        _counted_rows(_signatures(uow))
        .where(AgreementSignature.customer_id == customer_id)
        .order_by(*_NEWEST)
    )
    return [_signature(row) for row in found]


async def get_signature(
    uow: UnitOfWork,
    signature_id: UUID,
    *,
    agreement_id: UUID | None = None,
    customer_id: UUID | None = None,
) -> SignatureFacts:
    """Of that agreement, or that customer. Raises: NotFound."""
    statement = _signatures(uow).where(AgreementSignature.id == signature_id)
    if agreement_id is not None:
        statement = statement.where(AgreementVersion.agreement_id == agreement_id)
    if customer_id is not None:
        statement = statement.where(AgreementSignature.customer_id == customer_id)
    row = (await uow.session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound(_("There is no such signature."))
    version, signature = row.AgreementVersion, row.AgreementSignature
    return SignatureFacts(
        row=_signature(row),
        text=version.text,
        sha256=version.sha256,
        published_at=version.published_at,
        address=signature.address,
        browser=signature.browser,
    )


_NEWEST = (AgreementSignature.signed_at.desc(), AgreementSignature.id.desc())


def _signatures(uow: UnitOfWork) -> Select[Any]:
    email = case(
        (AgreementSignature.is_proved, Customer.email),
        else_=func.coalesce(Order.guest_email, Customer.email),
    )
    return (
        select(
            AgreementSignature,
            AgreementVersion,
            Customer.name.label("customer_name"),
            func.coalesce(email, "").label("email"),
            func.coalesce(Order.reference, "").label("reference"),
        )
        .select_from(AgreementSignature)
        .join(
            AgreementVersion,
            and_(
                AgreementVersion.tenant_id == AgreementSignature.tenant_id,
                AgreementVersion.id == AgreementSignature.version_id,
            ),
        )
        .join(
            Customer,
            and_(
                Customer.tenant_id == AgreementSignature.tenant_id,
                Customer.id == AgreementSignature.customer_id,
            ),
        )
        .outerjoin(
            Order,
            and_(
                Order.tenant_id == AgreementSignature.tenant_id,
                Order.id == AgreementSignature.order_id,
            ),
        )
        .where(AgreementSignature.tenant_id == uow.tenant)
    )


def _counted_rows(statement: Select[Any]) -> Select[Any]:
    return statement.where(
        or_(AgreementSignature.is_proved, Order.state == str(OrderState.CONFIRMED))
    )


def _signature(row: Any) -> SignatureRow:
    signature, version = row.AgreementSignature, row.AgreementVersion
    return SignatureRow(
        id=signature.id,
        agreement_id=version.agreement_id,
        title=version.title,
        number=version.number,
        name=signature.name,
        email=row.email,
        customer_id=signature.customer_id,
        customer_name=row.customer_name,
        signed_at=signature.signed_at,
        how=signature.how,
        is_proved=signature.is_proved,
        order_id=signature.order_id,
        reference=row.reference,
    )


async def find_public_agreement(uow: UnitOfWork, slug: str) -> tuple[Needed, datetime]:
    """The version that holds, for whoever has its address, and when it was published; also of one
    that is switched off, for whoever signed it keeps the address.

    Raises: NotFound.
    """
    agreement_id = await uow.session.scalar(
        select(Agreement.id).where(Agreement.tenant_id == uow.tenant, Agreement.slug == slug)
    )
    newest = await find_newest(uow, [agreement_id]) if agreement_id is not None else []
    if not newest:
        raise no_such_agreement()
    version = await get_version(uow, newest[0].agreement_id, newest[0].number)
    return newest[0], version.published_at


async def list_choices(
    uow: UnitOfWork,
) -> tuple[list[tuple[str, str]], list[tuple[str, str]], list[tuple[str, str]]]:
    """The services, series and packages that could ask for one, as (id, name)."""
    services = await uow.session.execute(
        select(Service.id, Service.name)
        .where(Service.tenant_id == uow.tenant)
        .order_by(func.lower(Service.name), Service.id)
    )
    series = await uow.session.execute(
        select(Series.id, Series.title, Service.name)
        .join(Service, and_(Service.tenant_id == Series.tenant_id, Service.id == Series.service_id))
        .where(Series.tenant_id == uow.tenant)
        .order_by(func.lower(Service.name), Series.created_at.desc(), Series.id)
    )
    packages = await uow.session.execute(
        select(Package.id, Package.name)
        .where(Package.tenant_id == uow.tenant, Package.purpose == "sale")
        .order_by(func.lower(Package.name), Package.id)
    )
    return (
        [(str(one), name) for one, name in services.tuples()],
        [(str(one), f"{service} · {title}") for one, title, service in series.tuples()],
        [(str(one), name) for one, name in packages.tuples()],
    )


async def asked_by_of(uow: UnitOfWork, agreement_id: UUID) -> dict[str, list[str]]:
    """The ids of what asks for it, by the field that lists them."""
    await get_agreement(uow, agreement_id)
    found = await uow.session.execute(
        select(AgreementNeed.service_id, AgreementNeed.series_id, AgreementNeed.package_id).where(
            AgreementNeed.tenant_id == uow.tenant, AgreementNeed.agreement_id == agreement_id
        )
    )
    rows = found.all()
    names = ("service_ids", "series_ids", "package_ids")
    return {
        name: [str(row[place]) for row in rows if row[place] is not None]
        for place, name in enumerate(names)
    }


async def agreements_of(uow: UnitOfWork, **thing: UUID) -> list[str]:
    """The ids of those that this one service, series or package asks for."""
    ((name, one_id),) = thing.items()
    found = await uow.session.scalars(
        select(AgreementNeed.agreement_id).where(
            AgreementNeed.tenant_id == uow.tenant, getattr(AgreementNeed, name) == one_id
        )
    )
    return [str(one) for one in found]
