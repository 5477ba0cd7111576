"""Signed addresses of one customer's copy of a worksheet: who has the link fills it in.

It goes by mail to the customer's own address, and ends once that is another: the one that had the
link may be a stranger's.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import and_, select

from src.booking.commands.worksheets import guest_erased, no_such_worksheet, taken_back
from src.booking.domain.worksheets import CopyState
from src.booking.models import WorksheetCopy
from src.platform.config import Settings
from src.platform.errors import Gone
from src.platform.i18n import _, set_locale
from src.platform.links import LinkSigner
from src.platform.services import Services
from src.tenants.context import RequestContext
from src.tenants.models import Customer

PURPOSE = "worksheet"
LIFETIME = timedelta(days=800)


def worksheet_path(
    settings: Settings, slug: str, copy: WorksheetCopy, address: str, at: datetime
) -> str:
    """Opens it for so long from then on, as long as the customer has this address. `at` is when it
    is sent: the copy may be opened again years after it was given.
    """
    says = {"copy": str(copy.id), "to": _mark(address)}
    signer = LinkSigner(settings.secret_keys)
    token = signer.sign(PURPOSE, says, at, tenant_id=copy.tenant_id)
    return f"/b/{slug}/worksheets/{token}"


async def open_worksheet_link(services: Services, ctx: RequestContext, token: str) -> UUID:
    """The copy that a token opens; its page is in the language that the customer chose.

    Raises: LinkInvalid, LinkExpired, NotFound; Gone for one whose customer has another address by
    now, or was erased, and for one that was taken back.
    """
    signer = LinkSigner(services.settings.secret_keys)
    link = signer.read(PURPOSE, token, LIFETIME, services.clock.now())
    if link.tenant_id != ctx.here.id:
        raise no_such_worksheet()
    async with services.uow_factory(ctx.here.id) as uow:
        found = await uow.session.execute(
            select(Customer.email, Customer.locale, Customer.erased_at, WorksheetCopy.state)
            .join(
                WorksheetCopy,
                and_(
                    WorksheetCopy.tenant_id == Customer.tenant_id,
                    WorksheetCopy.customer_id == Customer.id,
                ),
            )
            .where(Customer.tenant_id == uow.tenant, WorksheetCopy.id == link.payload["copy"])
        )
    row = found.one_or_none()
    if row is None:
        # It ended with the purchase that had asked for it.
        raise taken_back()
    if row.erased_at is not None:
        raise guest_erased()
    if _mark(row.email or "") != link.payload["to"]:
        raise Gone(
            _("This link is not valid any more. Please ask the business for another one."),
            code="link_replaced",
        )
    if row.locale:
        set_locale(row.locale)
    if row.state == CopyState.TAKEN_BACK:
        raise taken_back()
    return UUID(link.payload["copy"])


def _mark(address: str) -> str:
    return sha256(address.encode()).hexdigest()[:16]
