"""What an owner sees of packages of credits."""

from datetime import datetime
from uuid import UUID

import msgspec


class PackageWorth(msgspec.Struct, frozen=True, kw_only=True):
    """What a package costs beside single sessions: `single_minor` is the dearest of them, 0 where
    none has a price; `saves_minor` 0 where nothing is saved. `is_up_to`: they cost differently.
    """

    each_minor: int
    single_minor: int
    saves_minor: int
    is_up_to: bool


class PackageRow(msgspec.Struct, frozen=True, kw_only=True):
    """`good_for` names what its credits are for, `lost_tags` those of its tags that no service,
    series or date to come has. `is_kept`: it is in collections for known customers and in no other,
    so that guests find it nowhere else. `sold` counts the lots that were paid, `left` their
    credits. `ends` is when it would end that is paid today.
    """

    id: UUID
    name: str
    description: str
    is_for_sale: bool
    active: bool
    visibility: str
    is_kept: bool
    credits: int
    price_minor: int
    pays: list[str]
    validity_days: int
    ends_at: datetime | None
    good_for: str
    lost_tags: list[str]
    is_claw_back: bool
    position: int
    worth: PackageWorth
    sold: int
    left: int
