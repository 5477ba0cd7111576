"""The mail that lets a guest into their own pages, and its words."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, use_locale
from src.platform.ids import new_id
from src.platform.mail.queue import Mail
from src.platform.mail.templates import render_mail
from src.tenants.context import TenantSnapshot
from src.tenants.domain.portal import CODE_DIGITS, CODE_LIFETIME, code_of, mark_of
from src.tenants.models import Customer
from src.tenants.portal_links import ADDRESS_LIFETIME, PortalLink, portal_link_url
from src.tenants.queries.portal import Proved
from src.tenants.views.portal import OwnAddressMail, PortalCodeMail
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

NAME, ADDRESS, FORMER = "portal_code", "own_address", "former_address"
UNWORDED = (ADDRESS, FORMER)
"""Mails to guests that businesses do not word: they are about who may do what."""
HALF = CODE_DIGITS // 2


class WayIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who is let in by which row; `asked_id` is the occasion of the mail."""

    code_id: UUID
    asked_at: datetime
    asked_id: UUID
    proved: Proved
    address: str
    name: str
    locale: str


def portal_mail(
    settings: Settings, tenant: TenantSnapshot, way_in: WayIn, wordings: Wordings = SHIPPED
) -> Mail:
    """To the customer's own address; its words are let go of once it has left."""
    code = code_of(settings.secret_keys[0], tenant.id, way_in.code_id)
    link = PortalLink(code_id=way_in.code_id, proved=way_in.proved)
    view = PortalCodeMail(
        locale=way_in.locale,
        from_name=tenant.name,
        contact=tenant.contact_email,
        guest_name=way_in.name,
        code=f"{code[:HALF]} {code[HALF:]}",
        minutes=int(CODE_LIFETIME.total_seconds()) // 60,
        link_url=portal_link_url(settings, tenant, link, way_in.asked_at),
    )
    rendered = render_worded(NAME, view, way_in.locale, wordings)
    return Mail(
        kind=NAME,
        to_address=way_in.address,
        to_name=way_in.name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        dedupe_key=f"{NAME}:{way_in.asked_id}",
        is_secret=True,
    )


def own_address_mail(
    tenant: TenantSnapshot, customer: Customer, to: str, occasion: UUID, url: str = ""
) -> Mail:
    """By which another address is proved, by the link at `url`; without one, to the former."""
    name, locale = (ADDRESS if url else FORMER), customer.locale or tenant.locale
    view = OwnAddressMail(
        locale=locale,
        from_name=tenant.name,
        contact=tenant.contact_email,
        guest_name=customer.name,
        url=url,
        hours=int(ADDRESS_LIFETIME.total_seconds()) // 3600,
    )
    rendered = render_mail(f"tenants/{name}", view, locale)
    return Mail(
        kind=name,
        to_address=to,
        to_name=customer.name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        dedupe_key=f"{name}:{occasion}",
        is_secret=bool(url),
    )


async def _preview(uow: UnitOfWork, asked: Preview) -> Mail:
    """With the newest customer's name. Its code and link are of no row, and open nothing."""
    with use_locale(asked.locale):
        name = await _newest_name(uow) or _("Alex Example")
    way_in = WayIn(
        code_id=new_id(),
        asked_at=uow.clock.now(),
        asked_id=new_id(),
        proved=Proved(customer_id=new_id(), mark=mark_of("alex@example.com")),
        address="alex@example.com",
        name=name,
        locale=asked.locale,
    )
    return portal_mail(asked.settings, asked.tenant, way_in, asked.wordings)


async def _newest_name(uow: UnitOfWork) -> str | None:
    found: str | None = await uow.session.scalar(
        select(Customer.name)
        .where(Customer.tenant_id == uow.tenant, Customer.email.is_not(None))
        .order_by(Customer.created_at.desc(), Customer.id.desc())
        .limit(1)
    )
    return found


def register_portal_mail() -> None:
    register_mail_kind(
        MailKind(
            key=NAME,
            template="tenants/portal_code",
            title=N_("Signing in to their bookings"),
            occasion=N_("When a guest wants to see all their bookings."),
            starter_subject=N_("Your bookings at {business}"),
            starter=N_(
                "Hello {customer_name},\n\nHere is your code for your bookings at {business}:"
                " {code}\n\nOr open them with one tap:\n\n{booking_link}\n\nBoth work once, for"
                " {minutes} minutes. Nobody from {business} will ever ask you for the code. If you"
                " did not ask for it, you need not do anything."
            ),
            button=N_("Open my bookings"),
            placeholders=(
                CUSTOMER_NAME,
                BUSINESS,
                Placeholder(
                    name="code", label=N_("The code to type in"), value=lambda view: view.code
                ),
                Placeholder(
                    name="booking_link",
                    label=N_("The way in; alone in a paragraph, a button"),
                    value=lambda view: view.link_url,
                ),
                Placeholder(
                    name="minutes",
                    label=N_("For how many minutes both work"),
                    value=lambda view: str(view.minutes),
                ),
                CONTACT,
            ),
            needed=("code", "booking_link"),
            place=6,
            preview=_preview,
        )
    )
