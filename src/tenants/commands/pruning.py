"""When a tenant's old rows are next looked through: one row of `due` each, found by its id; and
letting go of sign-ups that nobody finished.
"""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, delete, select, update

from src.platform.db.uow import UnitOfWork
from src.tenants.models import Due, SignUp

PRUNE_DUE = "prune"
PRUNE_EVERY = timedelta(days=1)
_DUE = cast(Table, Due.__table__)


def begin_pruning(uow: UnitOfWork) -> None:
    """For a tenant that has just begun."""
    row = {"id": uow.tenant, "tenant_id": uow.tenant, "kind": PRUNE_DUE, "ref": uow.tenant}
    uow.insert(_DUE, [{**row, "at": uow.clock.now() + PRUNE_EVERY}])


async def prune_again(uow: UnitOfWork, at: datetime) -> None:
    """Puts the tenant's next look off until `at`."""
    await uow.session.execute(
        update(Due).where(Due.id == uow.tenant, Due.kind == PRUNE_DUE).values(at=at)
    )


async def prune_sign_ups(uow: UnitOfWork, before: datetime, most: int) -> int:
    """Deletes at most `most` sign-ups whose time was over before `before`. Returns how many."""
    oldest = (
        select(SignUp.id).where(SignUp.expires_at < before).order_by(SignUp.expires_at).limit(most)
    )
    gone = await uow.session.execute(
        delete(SignUp).where(SignUp.id.in_(oldest)).returning(SignUp.id),
        execution_options={"synchronize_session": False},
    )
    return len(gone.all())
