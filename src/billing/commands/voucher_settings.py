"""Whether a business sells vouchers, over which amounts, and how long they last."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from src.billing.domain.minimums import least_online_minor
from src.billing.domain.vouchers import (
    LARGEST_VOUCHER_MINOR,
    LONGEST_VALIDITY_MONTHS,
    LONGEST_WORDS,
    MOST_AMOUNTS,
)
from src.billing.models import VoucherSettings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.money import Money, format_money
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now

COLUMNS = ("is_on", "amounts_minor", "least_minor", "most_minor", "valid_months")
ALL_COLUMNS = (*COLUMNS, "to_year_end", "words")


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherOffer:
    """What guests can buy. A business that never said anything offers nothing, and begins with
    three round amounts and the three years to the end of the year that some laws ask for.
    """

    is_on: bool = False
    amounts_minor: Sequence[int] = field(default=(2500, 5000, 10000))
    least_minor: int | None = None
    most_minor: int | None = None
    valid_months: int = 36
    to_year_end: bool = True
    words: str = ""

    @property
    def largest_minor(self) -> int:
        """The largest that guests could buy."""
        return max([*self.amounts_minor, self.most_minor or 0])

    def sells(self, amount_minor: int) -> bool:
        if amount_minor in self.amounts_minor:
            return True
        if self.least_minor is None or self.most_minor is None:
            return False
        return self.least_minor <= amount_minor <= self.most_minor


async def get_voucher_offer(uow: UnitOfWork) -> VoucherOffer:
    row = await _row(uow)
    if row is None:
        return VoucherOffer()
    return VoucherOffer(**{name: getattr(row, name) for name in ALL_COLUMNS})


async def change_voucher_offer(uow: UnitOfWork, ctx: RequestContext, offer: VoucherOffer) -> None:
    """Takes effect for what is sold from now on. Switching off needs no plan.

    Raises: PlanLimitReached, InvalidInput.
    """
    if offer.is_on:
        await require_feature_now(uow, ctx, Feature.COUPONS)
    fields = offer_errors(offer, ctx.here.currency)
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
    row = await _row(uow)
    if row is None:
        row = VoucherSettings(tenant_id=uow.tenant, updated_at=uow.clock.now())
        uow.session.add(row)
    changed = []
    for name in ALL_COLUMNS:
        value = getattr(offer, name)
        value = sorted(value) if name == "amounts_minor" else value
        if getattr(row, name) != value:
            setattr(row, name, value)
            changed.append(name)
    if changed:
        row.updated_at = uow.clock.now()
        detail = {"changed": changed, "is_on": offer.is_on}
        await audit(uow, ctx, "voucher.settings_changed", "tenant", uow.tenant, **detail)
    await uow.session.flush()


def offer_errors(offer: VoucherOffer, currency: str) -> dict[str, str]:
    """What is wrong with it, by field."""
    fields: dict[str, str] = {}
    least = least_online_minor(currency)
    if any(not least <= one <= LARGEST_VOUCHER_MINOR for one in offer.amounts_minor):
        fields["amounts"] = _too_little(least, currency)
    elif len(set(offer.amounts_minor)) > MOST_AMOUNTS:
        fields["amounts"] = _("Offer %(most)s amounts at most.", most=MOST_AMOUNTS)
    if offer.is_on and not offer.amounts_minor and offer.least_minor is None:
        fields["amounts"] = _("Offer an amount, or let guests choose one.")
    if (offer.least_minor is None) != (offer.most_minor is None):
        missing = "least" if offer.least_minor is None else "most"
        fields[missing] = _("Give both, the least and the most, or neither.")
    elif offer.least_minor is not None and offer.most_minor is not None:
        if offer.least_minor < least:
            fields["least"] = _too_little(least, currency)
        elif not offer.least_minor <= offer.most_minor <= LARGEST_VOUCHER_MINOR:
            fields["most"] = _("The most has to be at least the least.")
    if not 0 <= offer.valid_months <= LONGEST_VALIDITY_MONTHS:
        fields["valid_months"] = _("Give the months, or 0 for vouchers that never expire.")
    if len(offer.words) > LONGEST_WORDS:
        fields["words"] = _("Please keep it below %(most)s characters.", most=LONGEST_WORDS)
    return fields


def _too_little(least_minor: int, currency: str) -> str:
    amount = format_money(Money(least_minor, currency), current_locale())
    return _("Each amount has to be at least %(amount)s, and not enormous.", amount=amount)


async def _row(uow: UnitOfWork) -> VoucherSettings | None:
    found: VoucherSettings | None = await uow.session.scalar(
        select(VoucherSettings).where(VoucherSettings.tenant_id == uow.tenant)
    )
    return found
