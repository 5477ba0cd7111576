"""Which refund policies give a package, for who is about to take it away from them."""

from uuid import UUID

import msgspec
from sqlalchemy import select

from src.booking.domain.leaving import terms_from
from src.booking.models import Series, Service
from src.platform.db.uow import UnitOfWork


class PolicyUse(msgspec.Struct, frozen=True, kw_only=True):
    """A policy by what it belongs to; `path` leads to it, within the business's pages."""

    name: str
    path: str


async def list_policies_giving(uow: UnitOfWork, package_id: UUID) -> list[PolicyUse]:
    """Of services by name, then of series by title."""
    found: list[PolicyUse] = []
    for model, called, path in (
        (Service, Service.name, "services"),
        (Series, Series.title, "series"),
    ):
        rows = await uow.session.execute(
            select(model.id, called, model.leaving)
            .where(model.tenant_id == uow.tenant, model.leaving.has_key("policy"))
            .order_by(called, model.id)
        )
        for subject_id, name, leaving in rows.tuples():
            policy = terms_from(leaving).policy
            if policy is not None and package_id in policy.package_ids:
                found.append(PolicyUse(name=name, path=f"/{path}/{subject_id}/refunds"))
    return found
