"""Fees for leaving late or not coming, as the guest who is asked for them is told."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select

from src.billing.domain.kinds import FeeKind, FeeState
from src.billing.models import Fee
from src.billing.queries.fees import list_guest_fees
from src.billing.views.fees import GuestFee
from src.booking.late_fee_words import fee_asked, fee_asked_for_not_coming, fee_paid
from src.booking.models import Seat
from src.booking.views.guest import FeeLine
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.platform.web.formats import datetime_local, money
from src.tenants.context import TenantSnapshot


async def get_late_fees_minor(uow: UnitOfWork, seat_ids: Collection[UUID]) -> int:
    """What is asked for having left these seats late, in minor units."""
    found = await uow.session.scalar(
        select(func.coalesce(func.sum(Fee.amount_minor), 0)).where(
            Fee.tenant_id == uow.tenant,
            Fee.subject_id.in_(seat_ids),
            Fee.kind == str(FeeKind.LATE_CANCEL),
            Fee.state == str(FeeState.ASKED),
        )
    )
    return int(found or 0)


def is_told_of_missing() -> ColumnElement[bool]:
    """Of each seat of a statement, whether its guest was told that they had not come to it: by the
    mail that asks for the fee, or as they paid it on site before.
    """
    return exists().where(
        Fee.tenant_id == Seat.tenant_id,
        Fee.subject_id == Seat.id,
        Fee.kind == str(FeeKind.NO_SHOW),
        Fee.state != str(FeeState.DROPPED),
        Fee.told_at.is_not(None) | (Fee.state == str(FeeState.PAID)),
    )


async def list_fee_lines(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, order_id: UUID
) -> list[FeeLine]:
    """What is asked, or was paid, for what was missed of one order, a sentence for each kind."""
    fees = await list_guest_fees(uow, tenant, settings, Fee.order_id == order_id)
    kinds: dict[tuple[FeeKind, bool, bool], list[GuestFee]] = {}
    for fee in fees:
        kinds.setdefault((fee.kind, fee.is_paid, fee.is_told or fee.is_paid), []).append(fee)
    return [
        FeeLine(
            text=_words(key[0], _sum(alike), is_paid=key[1], is_told=key[2]),
            links=_links(alike, tenant) if key[2] else [],
        )
        for key, alike in kinds.items()
    ]


def _sum(fees: Sequence[GuestFee]) -> str:
    return money(sum(fee.amount_minor for fee in fees), fees[0].currency)


def _words(kind: FeeKind, amount: str, *, is_paid: bool, is_told: bool) -> str:
    if is_paid:
        return fee_paid(amount, is_late=kind is FeeKind.LATE_CANCEL)
    if kind is FeeKind.LATE_CANCEL:
        return fee_asked(amount, is_told=is_told)
    return fee_asked_for_not_coming(amount)


def _links(fees: Sequence[GuestFee], tenant: TenantSnapshot) -> list[tuple[str, str]]:
    """To the page of each fee, by its date where there are several."""
    if len(fees) == 1:
        [fee] = fees
        return [(_("See the fee") if fee.is_paid else _("See and pay the fee"), fee.href)]
    return [
        (
            _(
                "%(amount)s, %(when)s",
                amount=money(fee.amount_minor, fee.currency),
                when=datetime_local(fee.starts_at, tenant.zone),
            ),
            fee.href,
        )
        for fee in fees
    ]
