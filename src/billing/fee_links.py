"""Signed addresses of one fee: whoever has the link can see and pay that fee, and nothing else."""

from datetime import timedelta
from uuid import UUID

from src.billing.models import Fee, Order
from src.platform.config import Settings
from src.platform.errors import Gone, NotFound
from src.platform.i18n import _
from src.platform.links import LinkSigner
from src.platform.services import Services
from src.tenants.context import RequestContext

PURPOSE = "fee"
LIFETIME = timedelta(days=400)


def fee_path(settings: Settings, slug: str, fee: Fee, order: Order) -> str:
    """The path of the page where the fee is paid, until the address of its `order` is corrected."""
    signer = LinkSigner(settings.secret_keys)
    says: dict[str, object] = {"fee": str(fee.id)}
    if order.link_version:
        says["v"] = order.link_version
    token = signer.sign(PURPOSE, says, fee.at, tenant_id=fee.tenant_id)
    return f"/b/{slug}/fees/{token}"


async def open_fee_link(services: Services, ctx: RequestContext, token: str) -> UUID:
    """The fee that a token opens.

    Raises: LinkInvalid, LinkExpired, NotFound; Gone for one that was sent to an address which has
    been corrected since: it may be a stranger's.
    """
    signer = LinkSigner(services.settings.secret_keys)
    link = signer.read(PURPOSE, token, LIFETIME, services.clock.now())
    if link.tenant_id != ctx.here.id:
        raise NotFound(_("There is no such fee."))
    async with services.uow_factory(ctx.here.id) as uow:
        fee = await uow.session.get(Fee, (uow.tenant, UUID(link.payload["fee"])))
        order = None if fee is None else await uow.session.get(Order, (uow.tenant, fee.order_id))
        if fee is None or order is None:
            raise NotFound(_("There is no such fee."))
        if order.link_version != int(link.payload.get("v", 0)):
            raise Gone(
                _("This link is not valid any more. Please write to the business."),
                code="link_replaced",
            )
        return fee.id
