"""Who may use a lot of credits, ready to be chosen and told."""

from typing import Any
from uuid import UUID

import msgspec

from src.tenants.portal_sections import PortalHead


class UserChoice(msgspec.Struct, frozen=True):
    """One of those who can be named, by the value of the form."""

    key: str
    name: str
    is_chosen: bool


class OwnLotUsersView(msgspec.Struct, frozen=True, kw_only=True):
    """The customer's page about one lot."""

    head: PortalHead
    lot_id: UUID
    name: str
    choices: list[UserChoice]
    error: str
    here: str
    back: str
    people_href: str


class StaffLotUsersView(msgspec.Struct, frozen=True, kw_only=True):
    """The same for staff."""

    form: Any
    name: str
    owner: str
    choices: list[UserChoice]
    base: str
    here: str
