"""A mail to many as each of them reads it, and as it is tried on before it leaves."""

from uuid import UUID

from msgspec.structs import replace

from src.booking.domain.broadcasting import Recipient
from src.booking.models import Broadcast
from src.platform.config import Settings
from src.platform.i18n import _, use_locale
from src.platform.mail.queue import Mail
from src.platform.mail.templates import render_mail
from src.tenants.context import TenantSnapshot
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.domain.wording import Wording, fill, paragraphs_of
from src.tenants.models import User
from src.tenants.unsubscribe_links import unsubscribe_url
from src.tenants.worded_mails import WordedView


def broadcast_mail(
    settings: Settings, tenant: TenantSnapshot, broadcast: Broadcast, to: Recipient
) -> Mail:
    """The words as they were written, in the business's shell and, for news, with a way out."""
    way_out = ""
    if broadcast.is_marketing:
        way_out = unsubscribe_url(
            settings, tenant, to.customer_id, MailTopic.MARKETING, broadcast.sent_at
        )
    wording = Wording(subject=broadcast.subject, body=broadcast.body)
    mail = _mail(settings, tenant, wording, to, way_out)
    key = f"broadcast:{broadcast.id}:{to.address}"
    return replace(mail, dedupe_key=key, unsubscribe_url=way_out)


def shown_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    wording: Wording,
    guest: Recipient,
    *,
    is_marketing: bool,
) -> Mail:
    """What this guest would read. Its way out leads to the business's page and ends nothing, for
    whoever looks at it is not to choose for a guest.
    """
    way_out = f"{settings.base_url}/b/{tenant.slug}" if is_marketing else ""
    return _mail(settings, tenant, wording, guest, way_out)


def trial_of(shown: Mail, user: User, trial_id: UUID) -> Mail:
    """The same to whoever wrote it."""
    with use_locale(user.locale):
        subject = _("Trial: %(subject)s", subject=shown.subject)
    return replace(
        shown,
        kind="broadcast_trial",
        to_address=user.email,
        to_name=user.name,
        subject=subject,
        dedupe_key=f"broadcast_trial:{trial_id}",
    )


def _mail(
    settings: Settings, tenant: TenantSnapshot, wording: Wording, to: Recipient, way_out: str
) -> Mail:
    locale = to.locale or tenant.locale
    values = {"customer_name": to.name, "business": tenant.name}
    view = WordedView(
        locale=locale,
        from_name=tenant.name,
        subject=fill(wording.subject, values),
        paragraphs=list(paragraphs_of(wording.body, values, blocks=())),
        runs=[],
        href="",
        button="",
        unsubscribe_url=way_out,
        own_page=f"{settings.base_url}/b/{tenant.slug}",
    )
    words = render_mail("worded", view, locale)
    return Mail(
        kind="broadcast",
        to_address=to.address,
        to_name=to.name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key="",
    )
