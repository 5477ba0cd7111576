"""A business begins: its slug, its owner, its trial, all in one transaction."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from sqlalchemy import exists, func, select

from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.entitlements import rebuild_entitlements, tell_of_end
from src.tenants.commands.pruning import begin_pruning
from src.tenants.domain.places import COUNTRIES, CURRENCIES
from src.tenants.domain.roles import Role, TenantStatus
from src.tenants.domain.slugs import SlugProblem, normalise_slug, slug_problem
from src.tenants.models import AuditEntry, Member, Tenant, TenantSlug, User
from src.tenants.queries.plans import find_starting_plans
from src.tenants.queries.tenants import is_slug_free


def slug_taken() -> InvalidInput:
    """The refusal of a slug that somebody has, had, or is about to have."""
    sentence = _("This address is taken. Please choose another.")
    return InvalidInput(sentence, fields={"slug": sentence})


MOST_BUSINESSES = 10
"""That one user may own at a time; closed ones do not count."""

register_constraint("pk_tenant_slugs", slug_taken)
register_constraint("uq_tenants_slug", slug_taken)


class NewBusiness(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a business when it begins."""

    name: str
    slug: str
    timezone: str
    currency: str
    country: str
    locale: str = "en"


async def add_business(uow: UnitOfWork, user_id: UUID, business: NewBusiness) -> str:
    """A business of this user, on the first plan; a trial only for the user's first business.

    `uow` has no tenant before and this business's after. Returns the slug. Raises: InvalidInput for
    one business more than `MOST_BUSINESSES`.
    """
    now, tenant_id = uow.clock.now(), new_id()
    await _hold_user(uow, user_id)
    await _check_number(uow, user_id)
    first = not await _owns_anything(uow, user_id)
    await uow.adopt(tenant_id)
    slug = normalise_slug(business.slug)
    start = await find_starting_plans(uow)
    trial_id = start.trial_version_id if first else None
    trial_ends_at = now + timedelta(days=start.trial_days) if trial_id else None
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
            trial_ends_at=trial_ends_at,
            entitlements={},
            created_at=now,
        )
    )
    await uow.session.flush()
    uow.session.add(TenantSlug(slug=slug, tenant_id=tenant_id, created_at=now))
    uow.session.add(_owner(tenant_id, user_id, now))
    uow.session.add(_begun(tenant_id, user_id, now))
    begin_pruning(uow)
    if trial_ends_at is not None:
        tell_of_end(uow, trial_ends_at)
    await uow.session.flush()
    await rebuild_entitlements(uow, tenant_id)
    return slug


async def check_business(
    uow: UnitOfWork,
    business: NewBusiness,
    *,
    except_tenant: UUID | None = None,
    except_sign_up: UUID | None = None,
) -> None:
    """Raises: InvalidInput with every field that will not do."""
    wrong: dict[str, str] = {}
    if not 2 <= len(business.name.strip()) <= 100:
        wrong["business_name"] = _("Please give a name of 2 to 100 characters.")
    slug = normalise_slug(business.slug)
    problem = slug_problem(slug)
    if problem is not None:
        wrong["slug"] = slug_sentence(problem)
    elif not await is_slug_free(
        uow, slug, except_tenant=except_tenant, except_sign_up=except_sign_up
    ):
        wrong["slug"] = slug_taken().message
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


async def _check_number(uow: UnitOfWork, user_id: UUID) -> None:
    owned = await uow.session.scalar(
        select(func.count())
        .select_from(Member)
        .join(Tenant, Tenant.id == Member.tenant_id)
        .where(
            Member.user_id == user_id,
            Member.role == Role.OWNER.value,
            Tenant.status != TenantStatus.CLOSED.value,
        )
    )
    if (owned or 0) >= MOST_BUSINESSES:
        raise InvalidInput(
            _(
                "You own %(num)s businesses already, and one person can own no more.",
                num=MOST_BUSINESSES,
            ),
            code="too_many_businesses",
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
