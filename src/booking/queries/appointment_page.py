"""The page of a service that is given by appointment, as a stranger sees it."""

from datetime import datetime
from uuid import UUID

from src.booking.domain.appointment_terms import appointment_terms_from
from src.booking.domain.bookable import why_not_offered
from src.booking.domain.kinds import SeriesPriceType, SessionMode, Visibility
from src.booking.domain.price_label import price_of_lengths
from src.booking.domain.price_label import text as price_text
from src.booking.domain.reasons import guest_sentence
from src.booking.leaving_words import rules_in_words
from src.booking.models import Service
from src.booking.queries.decide import business_now
from src.booking.queries.guest_packages import list_fitting_packages
from src.booking.queries.hub import shortened
from src.booking.queries.kept import is_service_kept
from src.booking.queries.leaving import find_terms
from src.booking.queries.offer_facts import service_facts
from src.booking.queries.service_page import MOST_PACKAGES, no_such_service
from src.booking.queries.slots import find_appointment_service, is_shown
from src.booking.queries.time_picker import Picked, Place, get_time_picker
from src.booking.views.appointments import AppointmentPageView
from src.booking.views.hub import PackageOffer
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import current_locale
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.errors import EstablishedOnly
from src.tenants.queries.established import is_established


async def get_appointment_page(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    slug: str,
    picked: Picked,
    place: Place | None,
    base_url: str,
    *,
    customer_id: UUID | None = None,
) -> AppointmentPageView:
    """`customer_id` is who has proved to be that customer. Without a `place` no free time is
    looked for.

    Raises: NotFound for a service that is absent, hidden, frozen, or has dates of its own;
    EstablishedOnly for one that is kept for others than them.
    """
    service = await find_appointment_service(uow, slug)
    if service is None or not is_shown(tenant, service):
        raise no_such_service()
    is_kept = await is_service_kept(uow, service.id)
    if is_kept and not await is_established(uow, customer_id):
        raise EstablishedOnly
    against = why_not_offered(
        await business_now(uow, tenant, uow.clock.now()),
        service_facts(service),
        pays_online=pays_online(service),
    )
    picker = None
    if place is not None and not against:
        picker = await get_time_picker(uow, tenant, service, picked, place)
    hub_href = f"/b/{tenant.slug}"
    path = f"{hub_href}/{service.slug}"
    return AppointmentPageView(
        name=service.name,
        description=service.description,
        summary=shortened(service.description),
        minutes=service.duration_minutes,
        is_online=service.mode == SessionMode.ONLINE,
        price=_price(service, tenant.currency),
        zone=tenant.zone,
        currency=tenant.currency,
        hub_href=hub_href,
        path=path,
        url=base_url + path,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
        notice=guest_sentence(against) if against else None,
        is_listed=service.active and service.visibility == Visibility.PUBLIC and not is_kept,
        picker=picker,
        is_kept=is_kept,
        leaving=await _leaving(uow, tenant, service, uow.clock.now()),
        packages=await _packages(uow, tenant, service),
        packages_href=f"{hub_href}/packages",
    )


def pays_online(service: Service) -> bool:
    return service.price_type == SeriesPriceType.ONLINE and service.price_minor > 0


def _price(service: Service, currency: str) -> str:
    lengths = appointment_terms_from(service.appointment).lengths
    label = price_of_lengths(service.price_type, service.price_minor, lengths, currency)
    return price_text(label, current_locale())


async def _leaving(
    uow: UnitOfWork, tenant: TenantSnapshot, service: Service, now: datetime
) -> list[str]:
    terms = (await find_terms(uow, tenant, service.id, []))[service.id]
    return rules_in_words(terms, SeriesPriceType(service.price_type), tenant.zone, None, now)


async def _packages(
    uow: UnitOfWork, tenant: TenantSnapshot, service: Service
) -> list[PackageOffer]:
    """The first few that appointments can be paid with."""
    if not tenant.entitlements.has(Feature.PACKAGES):
        return []
    cards = await list_fitting_packages(uow, tenant, service.id)
    return [
        PackageOffer(card.name, card.href, card.credits, card.price_minor, card.each_minor)
        for card in cards[:MOST_PACKAGES]
    ]
