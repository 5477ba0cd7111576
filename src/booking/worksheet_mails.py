"""The mail that says which worksheets are to be filled in, and its words."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.booking.models import WorksheetCopy
from src.booking.worksheet_links import worksheet_path
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

NAME = "worksheet"


class SheetLink(msgspec.Struct, frozen=True):
    """A worksheet and where it is filled in."""

    title: str
    url: str


class WorksheetMail(msgspec.Struct, frozen=True, kw_only=True):
    """To who is to fill in worksheets; every word is in their language. `reason` is why they are to
    correct one that they had sent, with what staff wrote, and with `is_again` they had sent all of
    them; `own_page` is the business's.
    """

    locale: str
    from_name: str
    contact: str
    guest_name: str
    sheets: list[SheetLink]
    reason: str
    is_again: bool
    own_page: str

    @property
    def titles(self) -> str:
        return ", ".join(_("“%(title)s”", title=one.title) for one in self.sheets)

    @property
    def task(self) -> str:
        return _("To correct") if self.is_again else _("To fill in")

    @property
    def links(self) -> list[str]:
        return [f"{one.title}: {one.url}" for one in self.sheets]


def worksheet_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    customer: Customer,
    copies: Sequence[tuple[WorksheetCopy, str]],
    *,
    action_id: UUID,
    now: datetime,
    locale: str,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """One for each act: `copies` are given with the titles of their versions."""
    address, slug = customer.email or "", tenant.slug
    with use_locale(locale):
        view = WorksheetMail(
            locale=locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=customer.name,
            sheets=[
                SheetLink(
                    title, settings.base_url + worksheet_path(settings, slug, copy, address, now)
                )
                for copy, title in copies
            ],
            reason=_reason([copy for copy, _title in copies]),
            is_again=all(copy.state == "reopened" for copy, _title in copies),
            own_page=f"{settings.base_url}/b/{tenant.slug}",
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
        dedupe_key=f"{NAME}:{action_id}",
    )


def _reason(copies: Sequence[WorksheetCopy]) -> str:
    again = [one for one in copies if one.state == "reopened"]
    if not again:
        return ""
    said = " ".join(filter(None, (one.reopened_why for one in again)))
    asked = _("You had sent it already; please look at it once more.")
    return f"{asked} {said}".strip()


async def _preview(uow: UnitOfWork, asked: Preview) -> Mail:
    """With the newest customer's name. The link opens nobody's copy: there is none."""
    name = await uow.session.scalar(
        select(Customer.name)
        .where(Customer.tenant_id == uow.tenant, Customer.email.is_not(None))
        .order_by(Customer.created_at.desc(), Customer.id.desc())
        .limit(1)
    )
    with use_locale(asked.locale):
        name, title = name or _("Alex Example"), _("Before your first visit")
    copy = WorksheetCopy(
        tenant_id=uow.tenant,
        id=new_id(),
        state="asked",
        reopened_why="",
        asked_at=uow.clock.now(),
    )
    return worksheet_mail(
        asked.settings,
        asked.tenant,
        Customer(tenant_id=uow.tenant, id=new_id(), name=name, email="alex@example.com", phone=""),
        [(copy, title)],
        action_id=new_id(),
        now=uow.clock.now(),
        locale=asked.locale,
        wordings=asked.wordings,
    )


def register_worksheet_mail() -> None:
    register_mail_kind(
        MailKind(
            key=NAME,
            template="booking/worksheet",
            title=N_("A worksheet to fill in"),
            occasion=N_("When you give a guest a worksheet, or what they book asks for one."),
            starter_subject=N_("{task} for {business}: {worksheets}"),
            starter=N_(
                "Hello {customer_name},\n\n{business} asks you to fill in {worksheets}."
                " {reason}\n\n{links}\n\nYou can save it and go on later."
            ),
            placeholders=(
                CUSTOMER_NAME,
                BUSINESS,
                Placeholder(
                    name="task",
                    label=N_("“To fill in”, or “To correct” where it had been sent before"),
                    value=lambda view: view.task,
                ),
                Placeholder(
                    name="worksheets",
                    label=N_("What is to be filled in"),
                    value=lambda view: view.titles,
                ),
                Placeholder(
                    name="links",
                    label=N_("Each worksheet with its link; alone in a paragraph, a button each"),
                    value=lambda view: ", ".join(view.links),
                ),
                Placeholder(
                    name="reason",
                    label=N_("Why one is to be corrected; nothing otherwise"),
                    value=lambda view: view.reason,
                ),
                CONTACT,
            ),
            needed=("links",),
            always=("reason",),
            place=5,
            preview=_preview,
        )
    )
