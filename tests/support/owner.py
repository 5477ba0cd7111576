"""What the program itself has no right to, done inside of a test's own transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text, update

from src.platform.db.uow import UnitOfWork
from src.sandbox.postgres import Role
from src.tenants.models import User


@asynccontextmanager
async def as_who_signed_in(uow: UnitOfWork) -> AsyncIterator[None]:
    """In a `uow_factory` of the fixture that is the superuser; elsewhere whoever it is anyway."""
    who = await uow.session.scalar(text("SELECT current_user"))
    await uow.session.execute(text("RESET SESSION AUTHORIZATION"))
    yield
    if who == Role.APP:
        await uow.session.execute(text(f"SET SESSION AUTHORIZATION {Role.APP}"))


async def make_platform_admin(uow: UnitOfWork, user_id: UUID) -> None:
    async with as_who_signed_in(uow):
        await uow.session.execute(
            update(User).where(User.id == user_id).values(is_platform_admin=True)
        )
