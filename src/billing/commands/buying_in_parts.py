"""Buying a package in parts: which there are, and what the order is then."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from src.billing.commands.orders import NewOrder
from src.billing.domain.kinds import PaymentMode
from src.billing.domain.minimums import least_online_minor
from src.billing.domain.package_sale import PackageQuote, SellerFacts, open_ways
from src.billing.domain.parts import PLAN, consent_to_plan, schedule_key
from src.billing.domain.schedules import Part
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.tenants.context import TenantSnapshot


class PartsChanged(Conflict):
    """The days or amounts are not what the guest was shown; nothing was bought."""

    code = "package_changed"


def parts_of(
    quote: PackageQuote, tenant: TenantSnapshot, seller: SellerFacts, now: datetime
) -> list[Part]:
    """Those that the price can be paid in, from today on by the business's clock: none but by card,
    and none where that cannot be taken just now.
    """
    if PaymentMode.ONLINE not in open_ways(quote.terms, seller):
        return []
    today_on = to_local(now, tenant.zone).date()
    return quote.parts(today_on, least_online_minor(tenant.currency))


def refuse_parts(parts: Sequence[Part], quoted: str | None, *, is_signed_in: bool) -> None:
    """Raises: InvalidInput at `way` for who is not signed in, or where there are none; PartsChanged
    for others than were shown.
    """
    if not is_signed_in:
        sentence = _("Please sign in to pay in parts: your card is kept for them.")
        raise InvalidInput(sentence, fields={"way": sentence})
    if not parts:
        sentence = _("This cannot be paid in parts. Please choose another way.")
        raise InvalidInput(sentence, fields={"way": sentence})
    if quoted not in (None, schedule_key(parts)):
        raise PartsChanged(
            _("The parts have just changed. Please look at their dates again before you buy.")
        )


def as_plan(new: NewOrder, parts: Sequence[Part], business: str, now: datetime) -> NewOrder:
    """As it is without parts; else the first part makes the order stand, and the card that pays it
    is kept for the others.
    """
    if not parts:
        return new
    return msgspec.structs.replace(
        new,
        later_minor=sum(part.minor for part in parts[1:]),
        consents={**new.consents, PLAN: consent_to_plan(business, now)},
    )
