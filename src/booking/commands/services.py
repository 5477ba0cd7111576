"""Making and changing services.

What the plan gates is offering: creating a service, switching one on, showing it again, and selling
by series. Words and rules of a service may be corrected on any plan.
"""

from uuid import UUID

import msgspec
from sqlalchemy import select

from src.booking.commands.givers import giver_errors, list_givers, set_givers
from src.booking.domain.appointment_terms import (
    AppointmentTerms,
    appointment_errors,
    appointment_terms_from,
)
from src.booking.domain.kinds import (
    SalesMode,
    SeriesPriceType,
    ServiceKind,
    SessionMode,
    Visibility,
)
from src.booking.domain.leaving import (
    NOTHING_BACK,
    LeavingTerms,
    keeping_policy,
    terms_errors,
    terms_from,
)
from src.booking.domain.minimum import hours_of
from src.booking.domain.online_prices import too_little_to_pay_online
from src.booking.domain.price_tiers import (
    PriceTier,
    document_of,
    over_errors,
    read_tiers,
    tier_errors,
    with_keys,
)
from src.booking.domain.questions import Question, read_questions
from src.booking.domain.seen import changed_since_seen, mark_of
from src.booking.domain.service_rules import ServiceDraft, numbered, service_errors, slug_for
from src.booking.models import Service
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.customer_tags import read_tags, tag_errors
from src.tenants.domain.entitlements import FEATURE_OF_SERVICE_KIND, Feature
from src.tenants.gates import require_feature_now
from src.tenants.models import Location, Performer


def slug_taken() -> InvalidInput:
    sentence = _("Another service has this address; choose another.")
    return InvalidInput(sentence, fields={"slug": sentence})


register_constraint("uq_services_slug", slug_taken)
register_constraint(
    "pk_services",
    lambda: Conflict(_("This service has been created already."), code="already_submitted"),
)


class ServiceDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a service that its owner may choose.

    An empty `slug` is made from the name when the service is created, and stays as it is later.
    Prices are those of a single entry, gross, `price_tiers` beside the full one; a free service has
    none. `leaving` are the terms under which single dates are sold from now on. `appointment` is
    for what is booked by appointment, `performer_ids` who gives it; None: whoever gives it now.
    """

    name: str
    slug: str = ""
    description: str = ""
    mode: SessionMode = SessionMode.IN_PERSON
    sales_mode: SalesMode = SalesMode.SINGLE
    price_type: SeriesPriceType = SeriesPriceType.FREE
    price_minor: int = 0
    price_tiers: tuple[PriceTier, ...] = ()
    tax_rate_bp: int = 0
    duration_minutes: int = 60
    default_capacity: int = 10
    default_performer_id: UUID | None = None
    default_location_id: UUID | None = None
    default_min_seats: int | None = None
    default_decide_hours: int | None = None
    min_notice_minutes: int = 0
    horizon_days: int = 365
    max_party: int = 10
    questions: tuple[Question, ...] = ()
    leaving: LeavingTerms = NOTHING_BACK
    tags: tuple[str, ...] = ()
    appointment: AppointmentTerms = AppointmentTerms()
    performer_ids: tuple[UUID, ...] | None = None
    visibility: Visibility = Visibility.PUBLIC
    active: bool = True


class CreateService(ServiceDetails, frozen=True, kw_only=True):
    """A new service; the same `service_id` sent again creates nothing more. What it is stays."""

    service_id: UUID | None = None
    kind: ServiceKind = ServiceKind.GROUP


class UpdateService(ServiceDetails, frozen=True, kw_only=True):
    """What the service is to be. `seen` is the mark of the service that was looked at."""

    service_id: UUID
    seen: str | None = None


async def get_service(uow: UnitOfWork, service_id: UUID) -> Service:
    """Raises: NotFound, for another tenant's service too."""
    found = await uow.session.get(Service, (uow.tenant, service_id))
    if found is None:
        raise NotFound(_("There is no such service."))
    return found


async def get_group_service(uow: UnitOfWork, service_id: UUID) -> Service:
    """Raises: NotFound; Conflict for one whose times are made as guests book them."""
    service = await get_service(uow, service_id)
    if service.kind != ServiceKind.GROUP:
        sentence = _(
            "This service is booked by appointment: its times come from the hours of those who give"
            " it, so it has no dates, series or waiting list."
        )
        raise Conflict(sentence, code="not_a_group_service")
    return service


def details_of_service(service: Service) -> ServiceDetails:
    """The service as it is: what a change of some fields starts from."""
    return ServiceDetails(
        name=service.name,
        slug=service.slug,
        description=service.description,
        mode=SessionMode(service.mode),
        sales_mode=SalesMode(service.sales_mode),
        price_type=SeriesPriceType(service.price_type),
        price_minor=service.price_minor,
        price_tiers=read_tiers(service.price_tiers),
        tax_rate_bp=service.tax_rate_bp,
        duration_minutes=service.duration_minutes,
        default_capacity=service.default_capacity,
        default_performer_id=service.default_performer_id,
        default_location_id=service.default_location_id,
        default_min_seats=service.default_min_seats,
        default_decide_hours=service.default_decide_hours,
        min_notice_minutes=service.min_notice_minutes,
        horizon_days=service.horizon_days,
        max_party=service.max_party,
        questions=tuple(read_questions(service.questions)),
        leaving=terms_from(service.leaving),
        tags=tuple(service.tags),
        appointment=appointment_terms_from(service.appointment),
        visibility=Visibility(service.visibility),
        active=service.active,
    )


async def get_details(uow: UnitOfWork, service: Service) -> ServiceDetails:
    """The service as it is, with those who give it where it is booked by appointment."""
    details = details_of_service(service)
    if service.kind != ServiceKind.APPOINTMENT:
        return details
    given_by = tuple(await list_givers(uow, service.id))
    return msgspec.structs.replace(details, performer_ids=given_by)


async def create_service(uow: UnitOfWork, ctx: RequestContext, cmd: CreateService) -> UUID:
    """A service, offered at once unless `active` or `visibility` say otherwise.

    Raises: PlanLimitReached, InvalidInput.
    """
    await require_feature_now(uow, ctx, FEATURE_OF_SERVICE_KIND[cmd.kind])
    await _require_sales_mode(uow, ctx, cmd.sales_mode)
    service_id = cmd.service_id or new_id()
    if await uow.session.get(Service, (uow.tenant, service_id)) is not None:
        return service_id
    slug = cmd.slug or await _free_slug(uow, slug_for(cmd.name))
    await _check(uow, ctx.here, cmd, slug, cmd.kind)
    now = uow.clock.now()
    uow.session.add(
        Service(
            tenant_id=uow.tenant,
            id=service_id,
            kind=str(cmd.kind),
            created_at=now,
            updated_at=now,
            **_columns(cmd, slug),
        )
    )
    await audit(uow, ctx, "service.created", "service", service_id, name=cmd.name)
    await uow.session.flush()
    await set_givers(uow, service_id, cmd.performer_ids)
    return service_id


async def update_service(uow: UnitOfWork, ctx: RequestContext, cmd: UpdateService) -> None:
    """Changes take effect for what is booked from now on; orders keep their prices.

    Raises: NotFound, PlanLimitReached, InvalidInput; Conflict when it changed since it was seen.
    """
    service = await _lock_service(uow, cmd.service_id)
    current = await get_details(uow, service)
    if cmd.seen is not None and mark_of(current) != cmd.seen:
        _check_same(service, current, cmd)
    if _offers_more(service, cmd):
        await require_feature_now(uow, ctx, FEATURE_OF_SERVICE_KIND[ServiceKind(service.kind)])
    if cmd.sales_mode != service.sales_mode:
        await _require_sales_mode(uow, ctx, cmd.sales_mode)
    kind = ServiceKind(service.kind)
    await _check(uow, ctx.here, cmd, cmd.slug or service.slug, kind, service)
    changed = _apply(service, _columns(cmd, cmd.slug or service.slug, service.leaving))
    changed += await set_givers(uow, service.id, cmd.performer_ids)
    if changed:
        service.updated_at = uow.clock.now()
        await audit(uow, ctx, "service.changed", "service", service.id, changed=changed)
    await uow.session.flush()


async def _lock_service(uow: UnitOfWork, service_id: UUID) -> Service:
    """The service, which nobody else changes until the end; guests can still book it."""
    key = (uow.tenant, service_id)
    found = await uow.session.get(Service, key, with_for_update={"key_share": True})
    if found is None:
        raise NotFound(_("There is no such service."))
    return found


def _check_same(service: Service, current: ServiceDetails, cmd: UpdateService) -> None:
    """Sending the same thing twice undoes nothing. Raises: Conflict."""
    columns = _columns(cmd, cmd.slug or service.slug, service.leaving)
    if cmd.performer_ids is not None and set(cmd.performer_ids) != set(current.performer_ids or ()):
        raise changed_since_seen()
    if any(getattr(service, name) != value for name, value in columns.items()):
        raise changed_since_seen()


async def set_service_active(
    uow: UnitOfWork, ctx: RequestContext, service_id: UUID, *, active: bool
) -> None:
    """Switches a service on or off. Raises: NotFound, PlanLimitReached."""
    service = await get_service(uow, service_id)
    if service.active == active:
        return
    if active:
        await require_feature_now(uow, ctx, FEATURE_OF_SERVICE_KIND[ServiceKind(service.kind)])
    service.active, service.updated_at = active, uow.clock.now()
    action = "service.switched_on" if active else "service.switched_off"
    await audit(uow, ctx, action, "service", service_id)
    await uow.session.flush()


def _offers_more(service: Service, cmd: UpdateService) -> bool:
    """Whether guests would see something that they do not see now."""
    hidden, offered = str(Visibility.HIDDEN), cmd.active and cmd.visibility != Visibility.HIDDEN
    was_offered = service.active and service.visibility != hidden
    return offered and not was_offered


async def _require_sales_mode(uow: UnitOfWork, ctx: RequestContext, mode: SalesMode) -> None:
    if mode is not SalesMode.SINGLE:
        await require_feature_now(uow, ctx, Feature.SERIES)


async def _check(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    cmd: ServiceDetails,
    slug: str,
    kind: ServiceKind,
    service: Service | None = None,
) -> None:
    fields = service_errors(draft_of(cmd, slug)) | terms_errors(cmd.leaving)
    too_little = too_little_to_pay_online(cmd.price_type, cmd.price_minor, tenant.currency)
    if too_little is not None:
        fields["price_minor"] = too_little
    fields |= tier_errors(cmd.price_tiers, cmd.price_type, tenant.currency, cmd.max_party)
    before = () if service is None else read_tiers(service.price_tiers)
    today = to_local(uow.clock.now(), tenant.zone).date()
    fields |= over_errors(with_keys(cmd.price_tiers), before, today)
    fields |= tag_errors(cmd.tags)
    fields |= await _unknown_defaults(uow, cmd)
    if kind is ServiceKind.APPOINTMENT:
        fields |= appointment_errors(cmd.appointment, cmd.duration_minutes)
        fields |= await giver_errors(uow, cmd.performer_ids)
    if "slug" not in fields and (service is None or service.slug != slug):
        fields |= slug_taken().fields if await _is_taken(uow, slug) else {}
    if fields:
        raise InvalidInput(_("The service cannot be saved like this."), fields=fields)


def draft_of(cmd: ServiceDetails, slug: str) -> ServiceDraft:
    """What the rules look at."""
    return ServiceDraft(
        name=cmd.name,
        slug=slug,
        description=cmd.description,
        sales_mode=cmd.sales_mode,
        price_type=cmd.price_type,
        price_minor=cmd.price_minor,
        tax_rate_bp=cmd.tax_rate_bp,
        duration_minutes=cmd.duration_minutes,
        default_capacity=cmd.default_capacity,
        default_min_seats=cmd.default_min_seats,
        default_decide_hours=cmd.default_decide_hours,
        min_notice_minutes=cmd.min_notice_minutes,
        horizon_days=cmd.horizon_days,
        max_party=cmd.max_party,
        questions=cmd.questions,
    )


async def _unknown_defaults(uow: UnitOfWork, cmd: ServiceDetails) -> dict[str, str]:
    fields: dict[str, str] = {}
    if cmd.default_performer_id is not None:
        key = (uow.tenant, cmd.default_performer_id)
        if await uow.session.get(Performer, key) is None:
            fields["default_performer_id"] = _("Please choose one of the given ones.")
    if cmd.default_location_id is not None:
        key = (uow.tenant, cmd.default_location_id)
        if await uow.session.get(Location, key) is None:
            fields["default_location_id"] = _("Please choose one of the given ones.")
    return fields


async def _is_taken(uow: UnitOfWork, slug: str) -> bool:
    found = await uow.session.scalar(
        select(Service.id).where(Service.tenant_id == uow.tenant, Service.slug == slug)
    )
    return found is not None


async def _free_slug(uow: UnitOfWork, wanted: str) -> str:
    slug, number = wanted, 1
    while await _is_taken(uow, slug):
        number += 1
        slug = numbered(wanted, number)
    return slug


def _columns(cmd: ServiceDetails, slug: str, leaving: object = None) -> dict[str, object]:
    """The row's columns; a free service keeps no price that nobody pays."""
    is_free = cmd.price_type is SeriesPriceType.FREE
    return {
        "slug": slug,
        "name": cmd.name.strip(),
        "description": cmd.description.strip(),
        "mode": str(cmd.mode),
        "sales_mode": str(cmd.sales_mode),
        "price_type": str(cmd.price_type),
        "price_minor": 0 if is_free else cmd.price_minor,
        "price_tiers": document_of(with_keys(cmd.price_tiers)),
        "tax_rate_bp": cmd.tax_rate_bp,
        "duration_minutes": cmd.duration_minutes,
        "default_capacity": cmd.default_capacity,
        "default_performer_id": cmd.default_performer_id,
        "default_location_id": cmd.default_location_id,
        "default_min_seats": cmd.default_min_seats,
        "default_decide_hours": hours_of(cmd.default_min_seats, cmd.default_decide_hours),
        "min_notice_minutes": cmd.min_notice_minutes,
        "horizon_days": cmd.horizon_days,
        "max_party": cmd.max_party,
        "questions": list(msgspec.to_builtins(cmd.questions)),
        "leaving": keeping_policy(cmd.leaving, leaving).document(),
        "tags": read_tags(",".join(cmd.tags)),
        "appointment": cmd.appointment.document(),
        "visibility": str(cmd.visibility),
        "active": cmd.active,
    }


def _apply(service: Service, columns: dict[str, object]) -> list[str]:
    """Sets what differs; returns the names of it."""
    changed = [name for name, value in columns.items() if getattr(service, name) != value]
    for name in changed:
        setattr(service, name, columns[name])
    return changed
