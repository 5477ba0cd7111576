"""Saying who may use a lot of credits: its customer does, and staff may."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, text

from src.billing.commands.credits import lock_lot
from src.billing.domain.lot_users import LotUsers, read_users
from src.billing.models import CreditLot
from src.billing.queries.lots import no_such_credits
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import keep_customer
from src.tenants.context import RequestContext
from src.tenants.models import Participant

_FORGET = text(
    "UPDATE credit_lots SET users = users - cast(:person_id AS text) WHERE tenant_id = :tenant_id"
    " AND customer_id = :customer_id AND users @> jsonb_build_array(cast(:person_id AS text))"
)
_REMEMBER_THE_OTHER = text(
    "UPDATE credit_lots SET users = users || jsonb_build_array(cast(:other_id AS text))"
    " WHERE tenant_id = :tenant_id AND customer_id = :customer_id"
    " AND users @> jsonb_build_array(cast(:person_id AS text))"
    " AND NOT users @> jsonb_build_array(cast(:other_id AS text))"
)


async def choose_users(uow: UnitOfWork, customer_id: UUID, lot_id: UUID, users: LotUsers) -> None:
    """By the customer, for their own lot. What is booked stays booked.

    Raises: NotFound, for anybody else's too; InvalidInput at `people`.
    """
    customer_id = await keep_customer(uow, customer_id)
    are_kept = await _hold_people(uow, customer_id, users)
    lot = await lock_lot(uow, lot_id)
    if lot.customer_id != customer_id:
        raise no_such_credits()
    _refuse_strangers(are_kept=are_kept)
    lot.users = users.stored()


async def set_users(
    uow: UnitOfWork, ctx: RequestContext, lot_id: UUID, users: LotUsers, reason: str
) -> None:
    """By staff. Raises: NotFound; InvalidInput at `people` or `reason`."""
    owner_id = await uow.session.scalar(
        select(CreditLot.customer_id).where(
            CreditLot.tenant_id == uow.tenant, CreditLot.id == lot_id
        )
    )
    if owner_id is None:
        raise no_such_credits()
    are_kept = await _hold_people(uow, await keep_customer(uow, owner_id), users)
    lot = await lock_lot(uow, lot_id)
    if read_users(lot.users) == users:
        return
    if not reason.strip():
        sentence = _("Please say why; it stands in the log.")
        raise InvalidInput(sentence, fields={"reason": sentence})
    _refuse_strangers(are_kept=are_kept)
    lot.users = users.stored()
    said = {"name": lot.name, "reason": reason.strip()}
    await audit(uow, ctx, "credits.users_changed", "credit_lot", lot.id, **said)


async def forget_person(uow: UnitOfWork, customer_id: UUID, person_id: UUID) -> None:
    """Somebody whom the customer does not keep any more may use no credits by name; credits that
    were for nobody else are everyone's again. Where a merge brought the same one twice and one of
    the two goes, the other is named instead.
    """
    scope = {"tenant_id": uow.tenant, "customer_id": customer_id, "person_id": str(person_id)}
    others = await _of_the_same_name(uow, customer_id, person_id)
    if others:
        await uow.session.execute(_REMEMBER_THE_OTHER, {**scope, "other_id": str(others[0])})
    await uow.session.execute(_FORGET, scope)


async def _of_the_same_name(uow: UnitOfWork, customer_id: UUID, person_id: UUID) -> Sequence[UUID]:
    """Held until COMMIT."""
    named = select(func.lower(Participant.name)).where(
        Participant.tenant_id == uow.tenant, Participant.id == person_id
    )
    found = await uow.session.scalars(
        select(Participant.id)
        .where(
            Participant.tenant_id == uow.tenant,
            Participant.customer_id == customer_id,
            Participant.id != person_id,
            Participant.kept_at.is_not(None),
            func.lower(Participant.name) == named.scalar_subquery(),
        )
        .order_by(Participant.id)
        .with_for_update(read=True)
    )
    return found.all()


async def _hold_people(uow: UnitOfWork, customer_id: UUID, users: LotUsers) -> bool:
    """Whether the customer keeps all who are named, and will until COMMIT.

    Before the lot, for whoever removes somebody holds them first, and their credits after that.
    """
    found = await uow.session.scalars(
        select(Participant.id)
        .where(
            Participant.tenant_id == uow.tenant,
            Participant.customer_id == customer_id,
            Participant.id.in_(users.people),
            Participant.kept_at.is_not(None),
        )
        .order_by(Participant.id)
        .with_for_update(read=True)
    )
    return set(found) == users.people


def _refuse_strangers(*, are_kept: bool) -> None:
    if not are_kept:
        sentence = _("Please choose among the given ones.")
        raise InvalidInput(sentence, fields={"people": sentence})
