"""What a merge of two customers would do, before it does it."""

from uuid import UUID

import msgspec
from sqlalchemy import select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.tenants.commands.customers import no_such_customer
from src.tenants.commands.merge_customers import refuse_merge_of
from src.tenants.customer_rows import customer_rows
from src.tenants.models import Customer, CustomerTag


class MergePreview(msgspec.Struct, frozen=True, kw_only=True):
    """`moves` says in words what changes hands, `gains` what who is left lacked until now.

    `address` is the one that will lead to who is left, "" where there is none.
    """

    moves: list[str]
    tags: list[str]
    gains_email: bool
    gains_phone: bool
    gains_established: bool
    address: str
    why_not: str | None


async def preview_merge(uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> MergePreview:
    """Raises: NotFound, for another business's customers too."""
    found = await uow.session.scalars(
        select(Customer).where(
            Customer.tenant_id == uow.tenant, Customer.id.in_([gone_id, kept_id])
        )
    )
    by_id = {customer.id: customer for customer in found}
    if len({gone_id, kept_id} - by_id.keys()) or any(one.erased_at for one in by_id.values()):
        raise no_such_customer()
    gone, kept = by_id[gone_id], by_id[kept_id]
    counts = [(rows, await rows.count(uow, gone_id)) for rows in customer_rows()]
    tags = await uow.session.scalars(
        select(CustomerTag.word)
        .where(CustomerTag.tenant_id == uow.tenant, CustomerTag.customer_id == gone_id)
        .order_by(CustomerTag.word)
    )
    return MergePreview(
        moves=[rows.words(count) for rows, count in counts if count],
        tags=list(tags),
        gains_email=kept.email is None and gone.email is not None,
        gains_phone=not kept.phone and bool(gone.phone),
        gains_established=gone.is_established and not kept.is_established,
        address=gone.email or "",
        why_not=_why_not(gone, kept),
    )


def _why_not(gone: Customer, kept: Customer) -> str | None:
    try:
        refuse_merge_of(gone, kept)
    except Conflict as refusal:
        return refusal.message
    return None
