"""What the command line does to tenants and users, without the command line."""

from datetime import datetime

from src.platform.db.uow import UowFactory
from src.platform.passwords import hash_password
from src.tenants.commands.admins import NewAdmin, check_admin, make_admin


async def create_platform_admin(
    uow_factory: UowFactory,
    email: str,
    name: str,
    password: str,
    now: datetime,
    *,
    unproved: bool = False,
    replace_password: bool = False,
) -> bool:
    """Makes a platform admin, for `seatline admin create`.

    `uow_factory` works as the owner of the tables: the program's own role has no right to it.
    Returns whether the user is new; a known user becomes an admin with this password.
    Raises: InvalidInput; Conflict for a known user with an unproved address, unless `unproved`, and
    `known_user` for any other, unless `replace_password`.
    Their messages are fit for the terminal.
    """
    new = check_admin(NewAdmin(email=email, name=name, password=password))
    password_hash = await hash_password(new.password)
    async with uow_factory(None) as uow:
        return await make_admin(
            uow,
            new,
            password_hash,
            now,
            unproved=unproved,
            replace_password=replace_password,
        )
