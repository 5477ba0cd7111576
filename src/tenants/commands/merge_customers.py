"""Two customers who are one person: everything of the one becomes the other's.

Nothing is copied and nothing is lost: orders, bookings, participants and notes keep their ids, so
signed links, seats and calendar entries stay what they are, and a participant has in each session
the one seat they had. The customer who is gone stays as a signpost from their address.

Locks: orders by id, then the two customers by id, FOR UPDATE. Whoever books for one of them holds
that row FOR KEY SHARE until COMMIT (`find_or_add_customer`), so what they wrote is seen and moved,
and who comes after reads where the signpost leads.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import no_such_customer
from src.tenants.context import RequestContext
from src.tenants.customer_rows import customer_rows
from src.tenants.models import Customer, CustomerTag


async def merge_customers(
    uow: UnitOfWork, ctx: RequestContext, gone_id: UUID, kept_id: UUID
) -> Mapping[str, Sequence[UUID]]:
    """Makes all of `gone_id` a part of `kept_id`, who keeps their own name and address.

    What moved, and what the other was like, is in the audit log, so that it can be told apart
    again. Returns the ids of what moved, by table. Raises: NotFound; Conflict for one and the same,
    and for one who is merged already.
    """
    if gone_id == kept_id:
        raise _same_customer()
    for rows in customer_rows():
        if rows.is_contended:
            await rows.lock(uow, gone_id)
    gone, kept = await _lock_both(uow, gone_id, kept_id)
    was = _record_of(gone)
    moved = {rows.table.name: await rows.move(uow, gone_id, kept_id) for rows in customer_rows()}
    detail = {
        "name": kept.name,
        "gone": was,
        "moved": {name: [str(row_id) for row_id in ids] for name, ids in moved.items()},
        "tags": await _merge_tags(uow, gone_id, kept_id),
        "taken_over": await _take_over(uow, gone, kept),
    }
    await audit(uow, ctx, "customer.merged", "customer", kept_id, **detail)
    return moved


def refuse_merge_of(gone: Customer, kept: Customer) -> None:
    """Raises: Conflict for one and the same, and when one of the two is merged already."""
    if gone.id == kept.id:
        raise _same_customer()
    if gone.merged_into is not None or kept.merged_into is not None:
        raise Conflict(
            _("One of the two has been merged already. Look at who is left."),
            code="already_merged",
        )


def _same_customer() -> Conflict:
    return Conflict(_("This is one and the same customer."), code="same_customer")


async def _lock_both(uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> tuple[Customer, Customer]:
    found = await uow.session.scalars(
        select(Customer)
        .where(Customer.tenant_id == uow.tenant, Customer.id.in_([gone_id, kept_id]))
        .order_by(Customer.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    by_id = {customer.id: customer for customer in found}
    if len(by_id) < 2 or any(customer.erased_at for customer in by_id.values()):
        raise no_such_customer()
    gone, kept = by_id[gone_id], by_id[kept_id]
    refuse_merge_of(gone, kept)
    return gone, kept


def _record_of(customer: Customer) -> dict[str, Any]:
    return {
        "id": str(customer.id),
        "email": customer.email,
        "name": customer.name,
        "phone": customer.phone,
        "is_established": customer.is_established,
        "created_at": customer.created_at.isoformat(),
    }


async def _merge_tags(uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> Sequence[str]:
    """The words of both, each once. Returns all that the one who is gone had."""
    of_gone = (CustomerTag.tenant_id == uow.tenant, CustomerTag.customer_id == gone_id)
    words = (await uow.session.scalars(select(CustomerTag.word).where(*of_gone))).all()
    had = select(CustomerTag.word).where(
        CustomerTag.tenant_id == uow.tenant, CustomerTag.customer_id == kept_id
    )
    known = (await uow.session.scalars(had)).all()
    await uow.session.execute(delete(CustomerTag).where(*of_gone, CustomerTag.word.in_(known)))
    await uow.session.execute(update(CustomerTag).where(*of_gone).values(customer_id=kept_id))
    return sorted(words)


async def _take_over(uow: UnitOfWork, gone: Customer, kept: Customer) -> list[str]:
    """What the one who is left lacks and the other has; the names of those fields.

    An address that is not taken over stays with the one who is gone and leads to who is left.
    """
    taken: list[str] = []
    email, gone_is_established = gone.email, gone.is_established
    gone.merged_into, gone.merged_at = kept.id, uow.clock.now()
    if kept.email is None and email is not None:
        gone.email = None
        taken.append("email")
    await uow.session.execute(
        update(Customer)
        .where(Customer.tenant_id == uow.tenant, Customer.merged_into == gone.id)
        .values(merged_into=kept.id)
    )
    # The address has to be free before the other can have it.
    await uow.session.flush()
    if "email" in taken:
        kept.email = email
    if not kept.phone and gone.phone:
        kept.phone = gone.phone
        taken.append("phone")
    if gone_is_established and not kept.is_established:
        kept.is_established = True
        taken.append("is_established")
    return taken
