"""What guests can book now, as the JSON API tells it."""

from datetime import date
from uuid import UUID

import msgspec

from src.booking.views.api import AgreementOut, MomentOut, MoneyOut


class TierOnHub(msgspec.Struct, frozen=True, kw_only=True):
    """A price beside the full one that guests can choose now; `key` is what a booking names."""

    key: str
    name: str
    price: MoneyOut
    until_on: date | None


class SeriesOnHub(msgspec.Struct, frozen=True, kw_only=True):
    """`price` is what joining now costs, null while it is sold out; `tiers` are the prices beside
    it, and `agreements` what is to be agreed to, the service's among it.
    """

    id: UUID
    title: str
    price: MoneyOut | None
    full_price: MoneyOut
    tiers: list[TierOnHub]
    sold_out: bool
    session_ids: list[UUID]
    agreements: list[AgreementOut] = []


class ServiceOnHub(msgspec.Struct, frozen=True, kw_only=True):
    """`tiers` are the prices of single dates beside the full one, and `agreements` what is to be
    agreed to.
    """

    id: UUID
    slug: str
    name: str
    price_label: str
    url: str
    next_at: MomentOut | None
    tiers: list[TierOnHub]
    series: list[SeriesOnHub]
    agreements: list[AgreementOut] = []


class HubOut(msgspec.Struct, frozen=True, kw_only=True):
    """What guests can book now. `open` false: nothing new, `notice` says so to guests."""

    name: str
    url: str
    open: bool
    notice: str | None
    services: list[ServiceOnHub]
