"""The clock of minimum group sizes, and the mails about them: whether a session is to take place,
and that it was called off.
"""

from typing import Any

from sqlalchemy import Row

from src.billing.cron import work_off
from src.booking.commands.decision_due import MINIMUM_DUE
from src.booking.commands.minimum import weigh_session
from src.booking.domain.kinds import SessionState
from src.booking.events import MinimumMissed, SessionCancelled
from src.booking.models import Service, Session
from src.booking.queries.called_off import find_called_off
from src.booking.views.mails import CalledOffView, MinimumMissedView
from src.booking.waitlist_words import not_counted_words
from src.platform.i18n import use_locale
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import Mail, queue_mail
from src.platform.mail.templates import render_mail
from src.platform.services import Services
from src.platform.web.formats import date_range, datetime_local
from src.tenants.context import TenantSnapshot
from src.tenants.models import Due, User
from src.tenants.queries.members import list_managers
from src.tenants.queries.tenants import tenant_snapshot


async def weigh_minimums(services: Services) -> int:
    """Periodic: asks about, lets go, or calls off the sessions whose time has come."""
    return await work_off(services, (MINIMUM_DUE,), _weigh, parallel=2)


async def _weigh(services: Services, due: Due) -> None:
    undo_seconds = services.settings.undo_window_seconds
    async with services.uow_factory(due.tenant_id) as uow:
        tenant = await tenant_snapshot(uow, due.tenant_id, services.clock.now())
        with use_locale(tenant.locale):
            await weigh_session(uow, tenant, due.ref, undo_seconds=undo_seconds)


async def ask_about_minimum(job: JobContext, event: MinimumMissed) -> None:
    """One mail to each owner and manager; none once somebody has answered."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        session = await uow.session.get(Session, (uow.tenant, event.session_id))
        if (
            session is None
            or session.min_seats is None
            or session.decided_at is not None
            or session.state != SessionState.SCHEDULED
        ):
            return
        service = await uow.session.get_one(Service, (uow.tenant, session.service_id))
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        href = f"{settings.base_url}/app/{tenant.slug}/sessions/{session.id}"
        for user in await list_managers(uow):
            mail = _mail(event, tenant, user, session, service, href)
            await queue_mail(uow, mail, host=settings.host)


async def tell_of_calling_off(job: JobContext, event: SessionCancelled) -> None:
    """One mail to each owner and manager of a session that was called off by itself; none where
    somebody cancelled it.
    """
    settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        row = await find_called_off(uow, event.session_id)
        if row is None:
            return
        tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
        href = f"{settings.base_url}/app/{tenant.slug}/sessions/{event.session_id}"
        for user in await list_managers(uow):
            await queue_mail(uow, _called_off_mail(row, tenant, user, href), host=settings.host)


def _called_off_mail(row: Row[Any], tenant: TenantSnapshot, user: User, href: str) -> Mail:
    session: Session = row.Session
    with use_locale(user.locale):
        view = CalledOffView(
            locale=user.locale,
            from_name=tenant.name,
            contact="",
            name=user.name,
            what=_what(session, row.name),
            when=date_range(session.starts_at, session.ends_at, tenant.zone),
            min_seats=session.min_seats or 0,
            href=href,
        )
        return _to(user, tenant, "called_off", str(row.cancellation_id), view)


def _to(
    user: User,
    tenant: TenantSnapshot,
    kind: str,
    occasion: str,
    view: CalledOffView | MinimumMissedView,
) -> Mail:
    """One of the kind for each occasion and person."""
    rendered = render_mail(f"booking/{kind}", view, user.locale)
    return Mail(
        kind=kind,
        to_address=user.email,
        to_name=user.name,
        from_name=tenant.name,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        dedupe_key=f"{kind}:{occasion}:{user.id}",
    )


def _what(session: Session, service_name: str) -> str:
    return " · ".join(filter(None, (service_name, session.title)))


def _mail(
    event: MinimumMissed,
    tenant: TenantSnapshot,
    user: User,
    session: Session,
    service: Service,
    href: str,
) -> Mail:
    with use_locale(user.locale):
        view = MinimumMissedView(
            locale=user.locale,
            from_name=tenant.name,
            contact="",
            name=user.name,
            what=_what(session, service.name),
            when=date_range(session.starts_at, session.ends_at, tenant.zone),
            taken=event.taken,
            not_counted=not_counted_words(event.unpaid, event.on_offer),
            min_seats=session.min_seats or 0,
            decided_at=datetime_local(event.at, tenant.zone),
            href=href,
        )
        occasion = f"{session.id}:{event.at.isoformat()}"
        return _to(user, tenant, "minimum_missed", occasion, view)
