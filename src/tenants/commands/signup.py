"""A business begins: its user, its slug, its owner, its trial, all in one transaction."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert

from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.accounts import ask_to_confirm, find_user_by_email
from src.tenants.commands.customers import normalise_email
from src.tenants.commands.entitlements import rebuild_entitlements
from src.tenants.commands.pruning import begin_pruning
from src.tenants.domain.places import COUNTRIES, CURRENCIES
from src.tenants.domain.platform_tenant import PLATFORM_TENANT_ID
from src.tenants.domain.roles import Role
from src.tenants.domain.slugs import SlugProblem, normalise_slug, slug_problem
from src.tenants.events import KnownAddressSignedUp
from src.tenants.models import AuditEntry, Member, Tenant, TenantSlug, User
from src.tenants.queries.plans import find_starting_plans
from src.tenants.queries.tenants import is_slug_free


def _slug_taken() -> InvalidInput:
    sentence = _("This address is taken. Please choose another.")
    return InvalidInput(sentence, fields={"slug": sentence})


register_constraint("pk_tenant_slugs", _slug_taken)
register_constraint("uq_tenants_slug", _slug_taken)


class NewBusiness(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a business when it begins."""

    name: str
    slug: str
    timezone: str
    currency: str
    country: str
    locale: str = "en"


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs up; the password is hashed before any transaction begins."""

    name: str
    email: str
    password_hash: str


class SignedUp(msgspec.Struct, frozen=True, kw_only=True):
    """`user_id` is None when the address was known already: then nothing was made, and the
    address gets a mail that says so. The answer to whoever asked is the same.
    """

    slug: str
    user_id: UUID | None


async def sign_up(uow: UnitOfWork, who: NewUser, business: NewBusiness) -> SignedUp:
    """Makes user and business; `uow` has no tenant yet.

    Raises: InvalidInput with every field that will not do.
    """
    await check_business(uow, business)
    known = await find_user_by_email(uow, who.email)
    user_id = await _add_user(uow, who, business.locale) if known is None else None
    if user_id is None:
        return await _tell_known_address(uow, who, business)
    slug = await add_business(uow, user_id, business)
    ask_to_confirm(uow, user_id)
    return SignedUp(slug=slug, user_id=user_id)


async def _add_user(uow: UnitOfWork, who: NewUser, locale: str) -> UUID | None:
    """The new user; None when the same address signed up at the same moment, as by a double click.

    That other transaction is waited for here and has committed then.
    """
    added = await uow.session.execute(
        insert(User)
        .values(
            id=new_id(),
            email=normalise_email(who.email),
            name=" ".join(who.name.split()),
            password_hash=who.password_hash,
            locale=locale,
            created_at=uow.clock.now(),
        )
        .on_conflict_do_nothing(constraint="uq_users_email")
        .returning(User.id)
    )
    return added.scalar_one_or_none()


async def _tell_known_address(uow: UnitOfWork, who: NewUser, business: NewBusiness) -> SignedUp:
    user = await find_user_by_email(uow, who.email)
    await uow.adopt(PLATFORM_TENANT_ID)
    if user is not None:
        uow.record(KnownAddressSignedUp(user_id=user.id, asked_id=new_id()))
    return SignedUp(slug=normalise_slug(business.slug), user_id=None)


async def add_business(uow: UnitOfWork, user_id: UUID, business: NewBusiness) -> str:
    """A business of this user, on the first plan; a trial only for the user's first business.

    `uow` has no tenant before and this business's after. Returns the slug.
    """
    now, tenant_id = uow.clock.now(), new_id()
    await _hold_user(uow, user_id)
    first = not await _owns_anything(uow, user_id)
    await uow.adopt(tenant_id)
    slug = normalise_slug(business.slug)
    start = await find_starting_plans(uow)
    trial_id = start.trial_version_id if first else None
    uow.session.add(
        Tenant(
            id=tenant_id,
            slug=slug,
            name=" ".join(business.name.split()),
            timezone=business.timezone,
            currency=business.currency,
            country=business.country,
            locale=business.locale,
            plan_version_id=start.plan_version_id,
            trial_version_id=trial_id,
            trial_ends_at=now + timedelta(days=start.trial_days) if trial_id else None,
            entitlements={},
            created_at=now,
        )
    )
    await uow.session.flush()
    uow.session.add(TenantSlug(slug=slug, tenant_id=tenant_id, created_at=now))
    uow.session.add(_owner(tenant_id, user_id, now))
    uow.session.add(_begun(tenant_id, user_id, now))
    begin_pruning(uow)
    await uow.session.flush()
    await rebuild_entitlements(uow, tenant_id)
    return slug


async def check_business(
    uow: UnitOfWork, business: NewBusiness, *, except_tenant: UUID | None = None
) -> None:
    """Raises: InvalidInput with every field that will not do."""
    wrong: dict[str, str] = {}
    if not 2 <= len(business.name.strip()) <= 100:
        wrong["business_name"] = _("Please give a name of 2 to 100 characters.")
    slug = normalise_slug(business.slug)
    problem = slug_problem(slug)
    if problem is not None:
        wrong["slug"] = slug_sentence(problem)
    elif not await is_slug_free(uow, slug, except_tenant=except_tenant):
        wrong["slug"] = _slug_taken().message
    if business.timezone not in available_timezones():
        wrong["timezone"] = _("Please choose a timezone from the list.")
    if business.currency not in CURRENCIES:
        wrong["currency"] = _("Please choose a currency from the list.")
    if business.country not in COUNTRIES:
        wrong["country"] = _("Please choose a country from the list.")
    if wrong:
        raise InvalidInput(_("Please look at the marked fields."), fields=wrong)


def slug_sentence(problem: SlugProblem) -> str:
    """What is wrong with a slug, for the person who typed it."""
    sentences = {
        SlugProblem.TOO_SHORT: _("Please use at least 3 characters."),
        SlugProblem.TOO_LONG: _("Please use at most 40 characters."),
        SlugProblem.MALFORMED: _("Please use small letters, digits and single hyphens only."),
        SlugProblem.RESERVED: _("This word is reserved. Please choose another."),
    }
    return sentences[problem]


async def _hold_user(uow: UnitOfWork, user_id: UUID) -> None:
    """Of two businesses begun at once the second sees the first, and gets no trial of its own."""
    await uow.session.execute(
        select(User.id).where(User.id == user_id).with_for_update(key_share=True)
    )


async def _owns_anything(uow: UnitOfWork, user_id: UUID) -> bool:
    owned = select(Member.id).where(Member.user_id == user_id, Member.role == str(Role.OWNER))
    return bool(await uow.session.scalar(select(exists(owned))))


def _owner(tenant_id: UUID, user_id: UUID, now: datetime) -> Member:
    return Member(
        id=new_id(), tenant_id=tenant_id, user_id=user_id, role=str(Role.OWNER), created_at=now
    )


def _begun(tenant_id: UUID, user_id: UUID, now: datetime) -> AuditEntry:
    return AuditEntry(
        tenant_id=tenant_id,
        id=new_id(),
        actor_kind="user",
        actor_id=user_id,
        action="business.created",
        subject_kind="tenant",
        subject_id=tenant_id,
        detail={},
        at=now,
    )
