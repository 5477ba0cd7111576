"""Several prices on one pool of seats: adult, child, member, early bird.

The full price is the service's or the series' own; tiers are prices beside it. Who takes one sits
in a seat like any other.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.online_prices import too_little_to_pay_online
from src.booking.domain.service_rules import LARGEST_ORDER_MINOR, slug_for
from src.platform.i18n import _

FULL = "full"
"""The key that the full price is chosen by."""
MOST_PRICES = 8
LONGEST_TIER = 60


class Audience(StrEnum):
    """Who may choose it: guests, or only staff who book for one."""

    PUBLIC = "public"
    STAFF = "staff"


class PriceTier(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One more price of an entry, or of a whole term. `key` names it for good and is made from the
    name where it is empty. An early bird ends with the day `until_on` on the business's clock.
    """

    key: str = ""
    name: str
    price_minor: int
    until_on: date | None = None
    audience: Audience = Audience.PUBLIC


def read_tiers(stored: Sequence[Any]) -> tuple[PriceTier, ...]:
    """As they are stored, in the order in which they are shown."""
    return msgspec.convert(list(stored), tuple[PriceTier, ...])


def document_of(tiers: Sequence[PriceTier]) -> list[Any]:
    """As they are stored."""
    return [msgspec.to_builtins(tier) for tier in tiers]


def open_tiers(
    tiers: Sequence[PriceTier], today: date, *, by_staff: bool = False
) -> tuple[PriceTier, ...]:
    """Those that can be chosen on the business's day `today`."""
    return tuple(
        tier
        for tier in tiers
        if (tier.until_on is None or today <= tier.until_on)
        and (by_staff or tier.audience is Audience.PUBLIC)
    )


def first_choice(tiers: Sequence[PriceTier]) -> str:
    """What is chosen at first: the cheapest early bird while there is one, else the full price."""
    early = [tier for tier in tiers if tier.until_on is not None]
    return min(early, key=lambda tier: tier.price_minor).key if early else FULL


def booker_first(chosen: Sequence[str], prices_minor: Mapping[str, int]) -> tuple[str, ...]:
    """The keys that a party chose in its order: whoever books comes first and has the dearest of
    them, being seldom the child of the party; the others follow as they were chosen.
    """
    if not chosen:
        return ()
    first = max(range(len(chosen)), key=lambda place: prices_minor.get(chosen[place], 0))
    return (chosen[first], *chosen[:first], *chosen[first + 1 :])


def put_off(tiers: Sequence[PriceTier], by: timedelta) -> tuple[PriceTier, ...]:
    """The same for a term that begins so much later."""
    return tuple(
        tier
        if tier.until_on is None
        else msgspec.structs.replace(tier, until_on=tier.until_on + by)
        for tier in tiers
    )


def with_keys(tiers: Sequence[PriceTier]) -> tuple[PriceTier, ...]:
    """The same, each with a key of its own."""
    taken = {FULL, *(tier.key for tier in tiers)}
    keyed: list[PriceTier] = []
    for tier in tiers:
        key, number = tier.key or slug_for(tier.name), 2
        while not tier.key and key in taken:
            key, number = f"{slug_for(tier.name)}-{number}", number + 1
        taken.add(key)
        keyed.append(msgspec.structs.replace(tier, key=key, name=tier.name.strip()))
    return tuple(keyed)


def tier_errors(
    tiers: Sequence[PriceTier], price_type: SeriesPriceType, currency: str, most: int
) -> dict[str, str]:
    """Sentences by `prices.<position>.<field>`; `most` people can come at once."""
    if tiers and price_type is SeriesPriceType.FREE:
        return {"prices": _("What is free has no other prices.")}
    if len(tiers) > MOST_PRICES:
        return {"prices": _("At most %(count)s prices are kept.", count=MOST_PRICES)}
    wrong: dict[str, str] = {}
    names = [tier.name.strip().casefold() for tier in tiers]
    keys = [tier.key for tier in tiers if tier.key]
    for position, tier in enumerate(tiers):
        at = f"prices.{position}"
        if not tier.name.strip() or len(tier.name) > LONGEST_TIER:
            wrong[f"{at}.name"] = _("Give the price a name of at most 60 characters.")
        elif names.index(names[position]) < position:
            wrong[f"{at}.name"] = _("Another price has this name already.")
        elif tier.key == FULL or keys.count(tier.key) > 1 or len(tier.key) > LONGEST_TIER:
            wrong[f"{at}.name"] = _("Another price has this key already.")
        sentence = _amount_error(tier.price_minor, price_type, currency, most)
        if sentence is not None:
            wrong[f"{at}.price"] = sentence
    return wrong


def over_errors(
    tiers: Sequence[PriceTier], before: Sequence[PriceTier], today: date
) -> dict[str, str]:
    """Sentences for prices whose last day lies before the business's day `today`; those that had
    it `before` already may keep it.
    """
    kept = {(tier.key, tier.until_on) for tier in before}
    return {
        f"prices.{position}.until_on": _("Its last day has passed.")
        for position, tier in enumerate(tiers)
        if tier.until_on is not None
        and tier.until_on < today
        and (tier.key, tier.until_on) not in kept
    }


def _amount_error(
    price_minor: int, price_type: SeriesPriceType, currency: str, most: int
) -> str | None:
    if price_minor < 0:
        return _("A price cannot be below zero.")
    if price_minor * max(most, 1) > LARGEST_ORDER_MINOR:
        return _("This price is too high for a party of that size.")
    return too_little_to_pay_online(price_type, price_minor, currency)
