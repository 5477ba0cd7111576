"""Signed addresses of one booking: whoever has the link sees that booking and nothing else."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.models import Order
from src.platform.config import Settings
from src.platform.errors import Gone, NotFound
from src.platform.i18n import _, set_locale
from src.platform.links import LinkSigner
from src.platform.services import Services
from src.tenants.context import RequestContext
from src.tenants.models import Customer

PURPOSE = "booking"
LIFETIME = timedelta(days=800)


class LinkedOrder(msgspec.Struct, frozen=True):
    """What a link says: the order, and how often its address had been corrected."""

    order_id: UUID
    version: int


def booking_path(settings: Settings, slug: str, order: Order) -> str:
    """The path of the order's guest page: the same whenever it is asked for, until the address that
    its mails go to is corrected.
    """
    return f"/b/{slug}/bookings/{_token(settings, order)}"


def package_path(settings: Settings, slug: str, order: Order) -> str:
    """The same for an order of a package; a token of either page leads to the right one."""
    return f"/b/{slug}/packages/bought/{_token(settings, order)}"


def _token(settings: Settings, order: Order) -> str:
    says: dict[str, object] = {"order": str(order.id)}
    if order.link_version:
        says["v"] = order.link_version
    signer = LinkSigner(settings.secret_keys)
    return signer.sign(PURPOSE, says, order.created_at, tenant_id=order.tenant_id)


def may_lead_on(here: Order, there: Order) -> bool:
    """Whether the page of one order may have the link of another: not where the address of one of
    them alone was corrected, since the other's links may then be in a stranger's hands.
    """
    return here.guest_email == there.guest_email


def order_behind(settings: Settings, token: str, tenant_id: UUID, now: datetime) -> LinkedOrder:
    """What a token says.

    Raises: LinkInvalid, LinkExpired; NotFound for a token of another tenant.
    """
    link = LinkSigner(settings.secret_keys).read(PURPOSE, token, LIFETIME, now)
    if link.tenant_id != tenant_id:
        raise no_such_booking()
    return LinkedOrder(UUID(link.payload["order"]), int(link.payload.get("v", 0)))


async def open_link(
    services: Services, ctx: RequestContext, token: str, *, to_package: bool = False
) -> UUID:
    """The order that a token opens; what is shown of it is in the language it is written about in,
    which is the one that its guest chose.

    Raises: LinkInvalid, LinkExpired, NotFound; Gone for one that was sent to an address which has
    been corrected since, as it may be a stranger's, and for one whose guest was erased.
    """
    linked = order_behind(services.settings, token, ctx.here.id, services.clock.now())
    async with services.uow_factory(ctx.here.id) as uow:
        found = await uow.session.execute(
            select(Order.link_version, Order.locale, Customer.erased_at)
            .join(
                Customer,
                (Customer.tenant_id == Order.tenant_id) & (Customer.id == Order.customer_id),
            )
            .where(Order.tenant_id == uow.tenant, Order.id == linked.order_id)
        )
    row = found.one_or_none()
    if row is None:
        raise no_such_booking()
    if row.link_version != linked.version:
        raise _gone(is_erased=row.erased_at is not None, to_package=to_package)
    set_locale(row.locale)
    return linked.order_id


def _gone(*, is_erased: bool, to_package: bool) -> Gone:
    if is_erased:
        sentence = _("This link is not valid any more: what was kept about its guest was erased.")
    elif to_package:
        sentence = _(
            "This link is not valid any more. Your newest mail about the package has another."
        )
    else:
        sentence = _(
            "This link is not valid any more. Your newest mail about the booking has another."
        )
    return Gone(sentence, code="link_replaced")


def no_such_booking() -> NotFound:
    return NotFound(_("There is no such booking."))


def group_path(slug: str, group_slug: str) -> str:
    """A group's page, for who is signed in and a member of it."""
    return f"/b/{slug}/me/groups/{group_slug}"


def group_post_path(slug: str, group_slug: str, post_id: UUID) -> str:
    """Leads to where the post stands on the group's page, however many came after it."""
    return f"{group_path(slug, group_slug)}/posts/{post_id}"
