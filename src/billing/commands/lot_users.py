"""Saying who may use a lot of credits: its customer does, and staff may."""

from uuid import UUID

from sqlalchemy import text

from src.billing.commands.credits import lock_lot, no_such_credits
from src.billing.domain.lot_users import LotUsers
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import keep_customer
from src.tenants.context import RequestContext
from src.tenants.queries.own_people import list_own_people

_FORGET = text(
    "UPDATE credit_lots SET users = users - cast(:person_id AS text) WHERE tenant_id = :tenant_id"
    " AND customer_id = :customer_id AND users @> jsonb_build_array(cast(:person_id AS text))"
)


async def choose_users(uow: UnitOfWork, customer_id: UUID, lot_id: UUID, users: LotUsers) -> None:
    """By the customer, for their own lot. What is booked stays booked.

    Raises: NotFound, for anybody else's too; InvalidInput at `people`.
    """
    customer_id = await keep_customer(uow, customer_id)
    lot = await lock_lot(uow, lot_id)
    if lot.customer_id != customer_id:
        raise no_such_credits()
    await _check(uow, customer_id, users)
    lot.users = users.stored()


async def set_users(
    uow: UnitOfWork, ctx: RequestContext, lot_id: UUID, users: LotUsers, reason: str
) -> None:
    """By staff. Raises: NotFound; InvalidInput at `people` or `reason`."""
    lot = await lock_lot(uow, lot_id)
    if lot.users == users.stored():
        return
    if not reason.strip():
        sentence = _("Please say why; it stands in the log.")
        raise InvalidInput(sentence, fields={"reason": sentence})
    await _check(uow, lot.customer_id, users)
    lot.users = users.stored()
    said = {"name": lot.name, "reason": reason.strip()}
    await audit(uow, ctx, "credits.users_changed", "credits", lot.id, **said)


async def forget_person(uow: UnitOfWork, customer_id: UUID, person_id: UUID) -> None:
    """Somebody whom the customer does not keep any more may use no credits by name; credits that
    were for nobody else are everyone's again.
    """
    scope = {"tenant_id": uow.tenant, "customer_id": customer_id, "person_id": str(person_id)}
    await uow.session.execute(_FORGET, scope)


async def _check(uow: UnitOfWork, customer_id: UUID, users: LotUsers) -> None:
    known = {one.id for one in await list_own_people(uow, customer_id)}
    if not users.people <= known:
        sentence = _("Please choose among the given ones.")
        raise InvalidInput(sentence, fields={"people": sentence})
