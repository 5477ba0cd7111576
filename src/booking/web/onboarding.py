"""What is left to do with services and sessions before guests can book."""

from sqlalchemy import exists, select

from src.booking.models import Digest, Series, Service, ServicePerformer, Session, WeeklyHours
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.web.dashboard import Step, register_onboarding_step


def register_steps() -> None:
    """Adds the steps of booking to every business's list."""
    register_onboarding_step(
        Step(
            key="service",
            title=lambda: _("Describe what you offer"),
            sentence=lambda: _("A name, a price and how long it lasts are enough to begin."),
            path="/services/new",
            probe=_has_service,
        )
    )
    register_onboarding_step(
        Step(
            key="session",
            title=lambda: _("Publish the first date, or set hours"),
            sentence=lambda: _(
                "Guests book the dates that you publish, one or a whole term at once, and"
                " appointments within the hours of those who give them."
            ),
            path="/services",
            probe=_has_session,
        )
    )
    register_onboarding_step(
        Step(
            key="series",
            title=lambda: _("Sell several dates as one"),
            sentence=lambda: _("If you like: a term or a course, bought and paid for in one go."),
            path="/series",
            probe=_has_series,
            is_optional=True,
        )
    )
    register_onboarding_step(
        Step(
            key="digests",
            title=lambda: _("Be told by mail"),
            sentence=lambda: _(
                "If you like: new bookings, cancellations and what waits for you, once a day or"
                " once a week. Nothing is mailed to you before you choose it."
            ),
            path="/digests",
            probe=_has_digest,
            is_optional=True,
        )
    )


async def _has_service(uow: UnitOfWork, tenant: TenantSnapshot) -> bool:
    return bool(await uow.session.scalar(select(exists().where(Service.tenant_id == tenant.id))))


async def _has_series(uow: UnitOfWork, tenant: TenantSnapshot) -> bool:
    return bool(await uow.session.scalar(select(exists().where(Series.tenant_id == tenant.id))))


async def _has_session(uow: UnitOfWork, tenant: TenantSnapshot) -> bool:
    """A date, or an appointment that somebody gives who has hours: that needs no dates."""
    published = exists().where(Session.tenant_id == tenant.id)
    by_appointment = exists().where(
        ServicePerformer.tenant_id == tenant.id,
        WeeklyHours.tenant_id == tenant.id,
        WeeklyHours.performer_id == ServicePerformer.performer_id,
    )
    return bool(await uow.session.scalar(select(published | by_appointment)))


async def _has_digest(uow: UnitOfWork, tenant: TenantSnapshot) -> bool:
    return bool(await uow.session.scalar(select(exists().where(Digest.tenant_id == tenant.id))))
