"""Packages of credits as the JSON API tells of them."""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from src.booking.views.api import AgreementOut, MoneyOut


class ScopeOut(msgspec.Struct, frozen=True, kw_only=True):
    """What credits are good for: dates of `any_service`, or those of the services that are on sale
    and those with one of the tags.
    """

    any_service: bool
    service_ids: list[UUID]
    tags: list[str]


class PackageOut(msgspec.Struct, frozen=True, kw_only=True):
    """A package as guests are offered it. `price_each` is what a session costs with it, and
    `saving` what all of it saves against single ones: at most that where `saving_is_up_to`, and
    null where it saves nothing. Bought today its last day is `until_on`; null: it never ends.
    `reason` says to guests why it cannot be bought, null where it can. `agreements` are signed by
    whoever buys it.
    """

    id: UUID
    name: str
    description: str
    credits: int
    price: MoneyOut
    price_each: MoneyOut
    saving: MoneyOut | None
    saving_is_up_to: bool
    validity_days: int
    until_on: date | None
    scope: ScopeOut
    pays: list[Literal["online", "on_site"]]
    url: str
    reason: str | None
    agreements: list[AgreementOut] = []


class PackageList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[PackageOut]
