"""The mail with the link to the calendar of all that a customer books, and its words."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from src.booking.calendar_links import LIFETIME, calendar_url
from src.booking.views.mails import CalendarLinkView
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, use_locale
from src.platform.ids import new_id
from src.platform.mail.queue import Mail
from src.tenants.context import TenantSnapshot
from src.tenants.models import Customer
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    SHIPPED,
    MailKind,
    Placeholder,
    Preview,
    Wordings,
    register_mail_kind,
    render_worded,
)

NAME = "calendar_link"


def calendar_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    customer: Customer,
    *,
    ask_id: UUID,
    locale: str,
    now: datetime,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """To the customer's own address, which has to be there, and never to one that was typed."""
    address = customer.email or ""
    view = CalendarLinkView(
        locale=locale,
        from_name=tenant.name,
        contact=tenant.contact_email,
        guest_name=customer.name,
        days=LIFETIME.days,
        calendar_url=calendar_url(settings, tenant, customer.id, address, now),
    )
    rendered = render_worded(NAME, view, locale, wordings)
    return Mail(
        kind=NAME,
        to_address=address,
        to_name=customer.name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        dedupe_key=f"{NAME}:{ask_id}",
    )


async def _preview(uow: UnitOfWork, asked: Preview) -> Mail:
    """With the newest customer's name. The link opens nobody's calendar: it was not mailed."""
    with use_locale(asked.locale):
        name = await newest_name(uow) or _("Alex Example")
    return calendar_mail(
        asked.settings,
        asked.tenant,
        Customer(tenant_id=uow.tenant, id=new_id(), name=name, email="alex@example.com", phone=""),
        ask_id=new_id(),
        locale=asked.locale,
        now=uow.clock.now(),
        wordings=asked.wordings,
    )


async def newest_name(uow: UnitOfWork) -> str | None:
    """Of those who can be written to; None where nobody has booked yet."""
    found: str | None = await uow.session.scalar(
        select(Customer.name)
        .where(Customer.tenant_id == uow.tenant, Customer.email.is_not(None))
        .order_by(Customer.created_at.desc(), Customer.id.desc())
        .limit(1)
    )
    return found


def register_calendar_mail() -> None:
    register_mail_kind(
        MailKind(
            key=NAME,
            template="booking/calendar_link",
            title=N_("All dates in a calendar"),
            occasion=N_("When a guest asks for the calendar of all that they book."),
            starter_subject=N_("Your dates at {business} in your calendar"),
            starter=N_(
                "Hello {customer_name},\n\nYour calendar program can follow all your dates at"
                " {business}, those that you book later too.\n\n{booking_link}\n\nThe link works"
                " for {days} days and is for you alone. If you did not ask for it, you need not do"
                " anything."
            ),
            button=N_("All my dates in my calendar"),
            placeholders=(
                CUSTOMER_NAME,
                BUSINESS,
                Placeholder(
                    name="booking_link",
                    label=N_("The calendar's page; alone in a paragraph, a button"),
                    value=lambda view: view.calendar_url,
                ),
                Placeholder(
                    name="days",
                    label=N_("For how many days the link works"),
                    value=lambda view: str(view.days),
                ),
                CONTACT,
            ),
            needed=("booking_link",),
            place=5,
            preview=_preview,
        )
    )
