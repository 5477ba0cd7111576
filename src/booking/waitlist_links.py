"""Signed addresses of one entry of a waiting list: whoever has the link is the one who waits."""

from datetime import datetime, timedelta
from uuid import UUID

from src.booking.models import WaitlistEntry
from src.platform.config import Settings
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.links import LinkSigner

PURPOSE = "waitlist"
LIFETIME = timedelta(days=800)


def waitlist_token(settings: Settings, entry: WaitlistEntry) -> str:
    """The same whenever it is asked for."""
    signer = LinkSigner([settings.secret_key])
    return signer.sign(
        PURPOSE, {"entry": str(entry.id)}, entry.joined_at, tenant_id=entry.tenant_id
    )


def waitlist_path(settings: Settings, slug: str, entry: WaitlistEntry) -> str:
    return f"/b/{slug}/waitlist/{waitlist_token(settings, entry)}"


def entry_behind(settings: Settings, token: str, tenant_id: UUID, now: datetime) -> UUID:
    """The entry that a token opens.

    Raises: LinkInvalid, LinkExpired; NotFound for a token of another tenant.
    """
    link = LinkSigner([settings.secret_key]).read(PURPOSE, token, LIFETIME, now)
    if link.tenant_id != tenant_id:
        raise NotFound(_("There is no such entry in a waiting list."))
    return UUID(link.payload["entry"])
