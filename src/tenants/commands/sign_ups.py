"""Signing up: what was asked for is kept until the mailed link is followed, and only then made.

Nothing here looks at whether the address is a user's before the link is followed, so that no answer
and no later look at the slug can tell. See ADR 0013.
"""

from uuid import UUID

import msgspec
from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, Gone
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.accounts import NewUser, add_proved_user
from src.tenants.commands.customers import normalise_email
from src.tenants.commands.signup import NewBusiness, add_business, check_business, slug_taken
from src.tenants.domain.link_purposes import FINISH_SIGN_UP_LIFETIME
from src.tenants.domain.platform_tenant import PLATFORM_TENANT_ID
from src.tenants.domain.slugs import normalise_slug
from src.tenants.events import SignUpAsked
from src.tenants.models import SignUp

register_constraint(
    "pk_sign_ups", lambda: Conflict(_("This form was sent twice."), code="sent_twice")
)


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """What a followed link came to. `user_id` is None when the address had become a user's
    meanwhile: then nothing was made, and the slug is free again.
    """

    slug: str
    user_id: UUID | None


async def ask_to_sign_up(
    uow: UnitOfWork, sign_up_id: UUID, who: NewUser, business: NewBusiness
) -> None:
    """Keeps the slug for `FINISH_SIGN_UP_LIFETIME` and lets a mail leave; `uow` has no tenant yet.

    The same `sign_up_id` again is the same sign-up, corrected. Raises: InvalidInput with every
    field that will not do; Conflict when the very same form is being taken up just now.
    """
    await check_business(uow, business, except_sign_up=sign_up_id)
    await uow.adopt(PLATFORM_TENANT_ID)
    await uow.session.execute(delete(SignUp).where(SignUp.id == sign_up_id))
    now = uow.clock.now()
    wanted = {
        "id": sign_up_id,
        "business_name": " ".join(business.name.split()),
        "timezone": business.timezone,
        "currency": business.currency,
        "country": business.country,
        "locale": business.locale,
        "email": normalise_email(who.email),
        "name": " ".join(who.name.split()),
        "password_hash": who.password_hash,
        "created_at": now,
        "expires_at": now + FINISH_SIGN_UP_LIFETIME,
    }
    may_replace = or_(SignUp.expires_at <= now, SignUp.id == sign_up_id)
    kept = await uow.session.execute(
        insert(SignUp)
        .values(slug=normalise_slug(business.slug), **wanted)
        .on_conflict_do_update(constraint="uq_sign_ups_slug", set_=wanted, where=may_replace)
        .returning(SignUp.id)
    )
    if kept.first() is None:
        raise slug_taken()
    uow.record(SignUpAsked(sign_up_id=sign_up_id, asked_id=new_id()))


async def find_sign_up(uow: UnitOfWork, sign_up_id: UUID) -> SignUp | None:
    """What was asked for, unless it was taken up or its time is over."""
    found: SignUp | None = await uow.session.scalar(
        select(SignUp).where(SignUp.id == sign_up_id, SignUp.expires_at > uow.clock.now())
    )
    return found


async def finish_sign_up(uow: UnitOfWork, sign_up_id: UUID, email: str) -> Finished:
    """Makes user and business, the address proved; `uow` has no tenant yet.

    Raises: Gone when there is nothing to finish any more, or for another address than `email`;
    InvalidInput when the slug went to a business that took it as a new name.
    """
    gone = await uow.session.execute(
        delete(SignUp)
        .where(SignUp.id == sign_up_id, SignUp.email == email, SignUp.expires_at > uow.clock.now())
        .returning(*SignUp.__table__.columns)
    )
    asked = gone.first()
    if asked is None:
        raise Gone(_("This link is not valid any more."), code="link_used")
    business = NewBusiness(
        name=asked.business_name,
        slug=asked.slug,
        timezone=asked.timezone,
        currency=asked.currency,
        country=asked.country,
        locale=asked.locale,
    )
    who = NewUser(name=asked.name, email=asked.email, password_hash=asked.password_hash)
    user_id = await add_proved_user(uow, who, asked.locale)
    if user_id is not None:
        await add_business(uow, user_id, business)
    return Finished(slug=asked.slug, user_id=user_id)
