"""Signed addresses at which a guest ends the mails of one topic, in every such mail.

The same address takes the one click of mail programs. Source: RFC 2369; RFC 8058.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from src.platform.config import Settings
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.links import LinkSigner
from src.tenants.context import TenantSnapshot
from src.tenants.domain.mail_topics import MailTopic

PURPOSE = "unsubscribe"
LIFETIME = timedelta(days=800)


def unsubscribe_url(
    settings: Settings,
    tenant: TenantSnapshot,
    customer_id: UUID,
    topic: MailTopic,
    now: datetime,
) -> str:
    """The whole address, for this customer and topic."""
    payload = {"customer": str(customer_id), "topic": str(topic)}
    token = LinkSigner(settings.secret_keys).sign(PURPOSE, payload, now, tenant_id=tenant.id)
    return f"{settings.base_url}/b/{tenant.slug}/me/mails/{token}"


def choice_behind(
    settings: Settings, token: str, tenant_id: UUID, now: datetime
) -> tuple[UUID, MailTopic]:
    """The customer and the topic that a token is about.

    Raises: LinkInvalid, LinkExpired; NotFound for a token of another tenant.
    """
    link = LinkSigner(settings.secret_keys).read(PURPOSE, token, LIFETIME, now)
    if link.tenant_id != tenant_id:
        raise NotFound(_("There is nothing here."))
    return _read(link.payload)


def _read(payload: Mapping[str, str]) -> tuple[UUID, MailTopic]:
    return UUID(payload["customer"]), MailTopic(payload["topic"])
