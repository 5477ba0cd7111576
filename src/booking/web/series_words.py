"""How a series is sold beside its full price and until when, in a few words for its owner."""

from datetime import date
from zoneinfo import ZoneInfo

from src.booking.domain.drop_in import DropInRules
from src.booking.domain.kinds import JoinPolicy
from src.booking.domain.leaving import BeforeUnit
from src.booking.domain.price_label import price_words
from src.booking.domain.price_tiers import Audience, PriceTier, open_tiers
from src.booking.views.series import SeriesHead
from src.platform.i18n import _, ngettext
from src.platform.web.formats import date_short, day_medium


def selling_words(head: SeriesHead, currency: str, today: date) -> list[str]:
    """Each of its other prices that is not over, what one of its dates costs alone, where it is
    sold so, and until when it can be joined.
    """
    words = [_tier(tier, currency) for tier in open_tiers(head.tiers, today, by_staff=True)]
    if head.is_sold_singly:
        words.append(_single(head, currency, today))
    return [*words, _joining(head)]


def seats_words(head: SeriesHead, zone: ZoneInfo) -> str:
    """What the number of seats left is about, and which full dates it leaves out."""
    if head.seats_left is None:
        return _("no date is to come")
    if not head.full_dates:
        return _("on the fullest upcoming date")
    days = " · ".join(date_short(one, zone) for one in head.full_dates)
    return ngettext(
        "on the fullest date that has room. It is sold without the full one: %(days)s",
        "on the fullest date that has room. It is sold without the full ones: %(days)s",
        len(head.full_dates),
        days=days,
    )


def _joining(head: SeriesHead) -> str:
    if head.join_until_on is not None and head.join_policy == JoinPolicy.UNTIL:
        return _("Can be joined until %(day)s", day=day_medium(head.join_until_on))
    if head.join_policy == JoinPolicy.ANY_TIME:
        return _("Can be joined at any time")
    return _("Can be joined until the first date begins")


def _tier(tier: PriceTier, currency: str) -> str:
    words = [f"{tier.name} {_price(tier.price_minor, currency)}"]
    if tier.until_on is not None:
        words.append(_("until %(day)s", day=day_medium(tier.until_on)))
    if tier.audience is Audience.STAFF:
        words.append(_("only staff choose it"))
    return ", ".join(words)


def _single(head: SeriesHead, currency: str, today: date) -> str:
    kept = open_tiers(head.single_tiers, today, by_staff=True)
    tiers = [f"{tier.name} {_price(tier.price_minor, currency)}" for tier in kept]
    prices = ", ".join([_price(head.single_minor, currency), *tiers])
    price = _("Single dates %(price)s", price=prices)
    opening = _opening(head.single)
    return f"{price}, {opening}" if opening else price


def _opening(rules: DropInRules) -> str:
    if not rules.opens_before:
        return ""
    if rules.opens_unit is BeforeUnit.DAYS:
        return ngettext(
            "open %(num)s day before the start",
            "open %(num)s days before the start",
            rules.opens_before,
        )
    return ngettext(
        "open %(num)s hour before the start",
        "open %(num)s hours before the start",
        rules.opens_before,
    )


def _price(price_minor: int, currency: str) -> str:
    return price_words(price_minor, currency)
