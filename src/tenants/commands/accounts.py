"""Users: proving an address, signing in, a new password."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from src.platform.db.uow import UnitOfWork, UowFactory
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.passwords import hash_password, needs_rehash, verify_password, weakness_of
from src.tenants.commands.customers import normalise_email
from src.tenants.events import EmailToConfirm, PasswordForgotten
from src.tenants.models import User


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to have an account; the password is hashed before any transaction begins."""

    name: str
    email: str
    password_hash: str


async def add_proved_user(uow: UnitOfWork, who: NewUser, locale: str) -> UUID | None:
    """A user whose address is proved, as by a mailed link; None when the address is a user's, of
    this moment even: that other transaction is waited for here and has committed then.
    """
    now = uow.clock.now()
    added = await uow.session.execute(
        insert(User)
        .values(
            id=new_id(),
            email=normalise_email(who.email),
            name=" ".join(who.name.split()),
            password_hash=who.password_hash,
            locale=locale,
            email_confirmed_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing(constraint="uq_users_email")
        .returning(User.id)
    )
    return added.scalar_one_or_none()


async def find_user_by_email(uow: UnitOfWork, email: str) -> User | None:
    found: User | None = await uow.session.scalar(
        select(User).where(User.email == normalise_email(email))
    )
    return found


async def authenticate(uow_factory: UowFactory, email: str, password: str) -> User | None:
    """The user whose password this is, else None, after the same time for known and unknown.

    The hashing runs outside of any transaction. A hash from weaker settings is replaced.
    """
    async with uow_factory(None) as uow:
        user = await find_user_by_email(uow, email)
    if not await verify_password(user.password_hash if user is not None else None, password):
        return None
    if user is not None and needs_rehash(user.password_hash):
        fresh = await hash_password(password)
        async with uow_factory(None) as uow:
            await _replace_hash(uow, user, fresh)
    return user


class Proof(StrEnum):
    """What following a confirmation link came to."""

    FIRST = "first"
    REPEATED = "repeated"
    STALE = "stale"


async def confirm_email(uow: UnitOfWork, user_id: UUID, email: str, now: datetime) -> Proof:
    """The address is proved, the first time for good; a user with another address by now has
    nothing proved.
    """
    first = await uow.session.execute(
        update(User)
        .where(User.id == user_id, User.email == email, User.email_confirmed_at.is_(None))
        .values(email_confirmed_at=now)
        .returning(User.id)
    )
    if first.first() is not None:
        return Proof.FIRST
    known = await uow.session.scalar(select(User.id).where(User.id == user_id, User.email == email))
    return Proof.REPEATED if known is not None else Proof.STALE


def ask_to_confirm(uow: UnitOfWork, user_id: UUID) -> None:
    """Lets the mail with the link leave; the transaction is some tenant's or the platform's."""
    uow.record(EmailToConfirm(user_id=user_id, asked_id=new_id()))


def forget_password(uow: UnitOfWork, email: str) -> None:
    """Lets a mail with a link leave if the address is a user's, which the job finds out.

    Not even the time that the answer takes tells: the same row is written for every address.
    """
    uow.record(PasswordForgotten(email=normalise_email(email), asked_id=new_id()))


async def set_password(
    uow_factory: UowFactory,
    user_id: UUID,
    hash_tail: str,
    password: str,
    *,
    proved_at: datetime | None = None,
) -> bool:
    """A new password; sessions begun before it are over. One that is set by a mailed link proves
    the address too, at `proved_at`.

    `hash_tail` is the end of the hash as it was when the person asked, so that a link works once:
    False when the password has changed since. Raises: InvalidInput for a weak one.
    """
    async with uow_factory(None) as uow:
        user = await uow.session.get(User, user_id)
    if user is None or tail_of(user.password_hash) != hash_tail:
        return False
    weakness = weakness_of(password, (user.email, user.name))
    if weakness is not None:
        raise InvalidInput(weakness, fields={"password": weakness})
    fresh = await hash_password(password)
    async with uow_factory(None) as uow:
        changed = await uow.session.execute(
            update(User)
            .where(User.id == user_id, User.password_hash == user.password_hash)
            .values(
                password_hash=fresh,
                signed_out_at=uow.clock.now(),
                email_confirmed_at=user.email_confirmed_at or proved_at,
            )
            .returning(User.id)
        )
        return changed.first() is not None


def tail_of(password_hash: str) -> str:
    """Enough of a hash to tell whether it is still the same, too little to be of use."""
    return password_hash[-8:]


async def rename_user(uow: UnitOfWork, user_id: UUID, name: str) -> None:
    """Raises: InvalidInput for an empty or endless name."""
    tidy = " ".join(name.split())
    if not 1 <= len(tidy) <= 100:
        sentence = _("Please give a name of at most 100 characters.")
        raise InvalidInput(sentence, fields={"name": sentence})
    await uow.session.execute(update(User).where(User.id == user_id).values(name=tidy))


async def _replace_hash(uow: UnitOfWork, seen: User, fresh: str) -> None:
    """Of the same password; one that was set meanwhile stays."""
    await uow.session.execute(
        update(User)
        .where(User.id == seen.id, User.password_hash == seen.password_hash)
        .values(password_hash=fresh)
    )
