"""Prepaid credits: what a lot may be used for, in what state it is, what its unused part is worth.

A credit takes one participant into one session. Lots are kept with a ledger, see
`billing/models/credits.py`; everything here is decided from facts and `now` alone, so that a lot is
over at its time whether or not any job has run.
Source: docs/algorithms/credits.md.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from src.billing.domain.lot_users import EVERYONE, Comer, LotUsers
from src.platform.localtime import local_day_bounds, to_local
from src.platform.money import round_half_up

LONGEST_VALIDITY_DAYS = 3650
MOST_CREDITS = 1000
WARNING_BEFORE = timedelta(days=7)


class LotState(StrEnum):
    """`pending`: not paid yet. `void`: never was. The rest follows from ledger and date."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"
    USED_UP = "used_up"
    REFUNDED = "refunded"
    VOID = "void"


class LotSource(StrEnum):
    """Where credits come from: bought, given back for a seat, given by staff, or rolled over."""

    PACKAGE = "package"
    SEAT = "seat"
    GOODWILL = "goodwill"
    ROLLOVER = "rollover"


class EntryKind(StrEnum):
    GRANT = "grant"
    REDEEM = "redeem"
    RESTORE = "restore"
    ADJUST = "adjust"
    EXPIRE = "expire"
    REFUND = "refund"


class RefundRule(StrEnum):
    """`linear`: what was paid, in proportion. `claw_back`: less what the used ones cost singly."""

    LINEAR = "linear"
    CLAW_BACK = "claw_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What credits are good for: everything, these services, or whatever has one of these tags.

    With none of them they are good for nothing; see `scope_error`.
    """

    any_service: bool = False
    service_ids: frozenset[UUID] = frozenset()
    tags: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        return not (self.any_service or self.service_ids or self.tags)

    def fits(self, target: "Target") -> bool:
        return (
            self.any_service
            or target.service_id in self.service_ids
            or not self.tags.isdisjoint(target.tags)
        )

    @property
    def width(self) -> tuple[int, int]:
        """Sorts the narrower scope first: services before tags before anything."""
        if self.any_service:
            return (2, 0)
        return (1, len(self.tags)) if self.tags else (0, len(self.service_ids))


@dataclass(frozen=True, slots=True)
class Target:
    """What credits are to be used for. `tags` are those of the session, its series and its service;
    `last_starts_at` is when the last of the sessions starts. `party` are those who come, None where
    that is not asked.
    """

    service_id: UUID
    tags: frozenset[str]
    last_starts_at: datetime
    party: tuple[Comer, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LotFacts:
    """A lot as its row says. `stored` is `pending`, `active` or `void`; `is_refunded`: its unused
    credits went back as money; `forfeited` are those that were lost at its end. `granted` is what
    it began with. `alike` are its owner's other lots that pay together with it, see `pooled`, and
    `parts` are the lots that such a pool takes from, in that order.
    """

    id: UUID
    stored: LotState
    name: str
    balance: int
    granted: int
    expires_at: datetime | None
    created_at: datetime
    scope: Scope
    source: LotSource = LotSource.PACKAGE
    is_refunded: bool = False
    forfeited: int = 0
    users: LotUsers = EVERYONE
    alike: tuple["LotFacts", ...] = ()
    parts: tuple["LotPart", ...] = ()

    @property
    def lot_ids(self) -> frozenset[UUID]:
        """All lots that its credits lie in."""
        return frozenset(part.id for part in self.parts) or frozenset({self.id})


class LotPart(NamedTuple):
    """What is left of one lot of a pool."""

    id: UUID
    balance: int


class Unusable(StrEnum):
    """Why a lot cannot be used, the weightiest first."""

    PENDING = "pending"
    VOID = "void"
    REFUNDED = "refunded"
    EXPIRED = "expired"
    USED_UP = "used_up"
    OUT_OF_SCOPE = "out_of_scope"
    NOT_FOR_THEM = "not_for_them"
    TOO_FEW = "too_few"
    STARTS_AFTER_EXPIRY = "starts_after_expiry"


def lot_state(lot: LotFacts, now: datetime) -> LotState:
    """At the very second of its end a lot still counts."""
    if lot.stored is not LotState.ACTIVE:
        return lot.stored
    is_over = lot.expires_at is not None and now > lot.expires_at
    if is_over and lot.balance + lot.forfeited > 0:
        return LotState.EXPIRED
    if lot.balance == 0:
        return LotState.REFUNDED if lot.is_refunded else LotState.USED_UP
    return LotState.ACTIVE


def is_taken_off(state: LotState, *, used: int, is_rolled_over: bool) -> bool:
    """Whether staff or a bank took all of a lot, so that it is empty and nothing of it was `used`:
    no seat keeps any. What went into a new lot was not taken off.
    """
    return state is LotState.USED_UP and not used and not is_rolled_over


def why_not_usable(lot: LotFacts, target: Target, wanted: int, now: datetime) -> list[Unusable]:
    """Every reason against taking `wanted` credits of the lot for the target, empty when it may be.

    A session has to start while the credits are valid.
    """
    state = lot_state(lot, now)
    if state is not LotState.ACTIVE:
        return [Unusable(state.value)]
    found: list[Unusable] = []
    if not lot.scope.fits(target):
        found.append(Unusable.OUT_OF_SCOPE)
    if target.party is not None and not lot.users.lets(target.party):
        found.append(Unusable.NOT_FOR_THEM)
    if lot.balance < wanted:
        found.append(Unusable.TOO_FEW)
    if not _lasts(lot, target.last_starts_at):
        found.append(Unusable.STARTS_AFTER_EXPIRY)
    return found


def add_up(lots: Sequence[LotFacts]) -> list[LotFacts]:
    """The same lots of one owner, each with those that pay together with it: a credit that comes
    back for a place is a lot of its own, and who gave up two places has two for two people.
    """
    kinds: dict[tuple[str, Scope, LotUsers], list[LotFacts]] = defaultdict(list)
    for lot in lots:
        if lot.source is LotSource.SEAT:
            kinds[_kind(lot)].append(lot)
    return [
        replace(lot, alike=tuple(one for one in kinds.get(_kind(lot), ()) if one.id != lot.id))
        if lot.source is LotSource.SEAT
        else lot
        for lot in lots
    ]


def _kind(lot: LotFacts) -> tuple[str, Scope, LotUsers]:
    return lot.name, lot.scope, lot.users


def pooled(lot: LotFacts, target: Target, now: datetime) -> LotFacts:
    """The lot with those alike that could pay for the target, as one with the credits of all: its
    own are taken first, then the others' in the order in which lots are offered. Where it could not
    pay itself, those alike stand for it. Itself where none could, or it alone.
    """
    own = replace(lot, alike=())
    lots = usable_lots([own, *lot.alike], target, 1, now)
    if lots in ([], [own]):
        return lot
    first = own if own in lots else lots[0]
    in_order = [first, *(one for one in lots if one.id != first.id)]
    if len(in_order) == 1:
        return first
    return replace(
        first,
        balance=sum(one.balance for one in in_order),
        parts=tuple(LotPart(one.id, one.balance) for one in in_order),
    )


class Left(NamedTuple):
    """What is left of credits that pay together: the lots that they lie in, how many they are, and
    when the first of them end.
    """

    lot_ids: frozenset[UUID]
    credits: int
    first_ends_at: datetime | None


def left_together(lots: Sequence[LotFacts], now: datetime) -> dict[UUID, Left]:
    """By lot of one owner, what is left now of it and of those that pay together with it."""
    found = {}
    for lot in add_up(lots):
        kind = sorted((replace(lot, alike=()), *lot.alike), key=_first_offered)
        usable = [one for one in kind if lot_state(one, now) is LotState.ACTIVE]
        ends_at = (usable or [lot])[0].expires_at
        ids = frozenset(one.id for one in kind)
        found[lot.id] = Left(ids, sum(one.balance for one in usable), ends_at)
    return found


def each_kind_once(lots: Sequence[LotFacts], starts_at: datetime | None) -> list[LotFacts]:
    """The lots to choose from where no more is known of what they are to pay for than when it
    starts, or not even that: of those that pay together only the one that is offered first, with
    the credits of all that last until then; of all, where none does.
    """
    shown = []
    for lot in add_up(lots):
        kind = [lot, *lot.alike]
        lasting = [one for one in kind if _lasts(one, starts_at)] or kind
        if lot.id == min(lasting, key=_first_offered).id:
            shown.append(replace(lot, balance=sum(one.balance for one in lasting)))
    return shown


def _lasts(lot: LotFacts, starts_at: datetime | None) -> bool:
    return lot.expires_at is None or starts_at is None or starts_at <= lot.expires_at


def usable_lots(
    lots: Iterable[LotFacts], target: Target, wanted: int, now: datetime
) -> list[LotFacts]:
    """Those that may be used, in the order to offer them: ends soonest, is good for least, is
    oldest.
    """
    fitting = [lot for lot in lots if not why_not_usable(lot, target, wanted, now)]
    return sorted(fitting, key=_first_offered)


def _first_offered(lot: LotFacts) -> tuple[bool, float, tuple[int, int], datetime, UUID]:
    ends = lot.expires_at.timestamp() if lot.expires_at is not None else 0.0
    return (lot.expires_at is None, ends, lot.scope.width, lot.created_at, lot.id)


def end_of_day(days: int, from_at: datetime, zone: ZoneInfo) -> datetime | None:
    """When credits end that are valid for so many days: with the last of them by the business's
    clock. None for 0 days, which never end.
    """
    if days == 0:
        return None
    last_on = to_local(from_at, zone).date() + timedelta(days=days)
    _first, after = local_day_bounds(last_on, zone)
    return after - timedelta(seconds=1)


def warn_at(end_set_at: datetime, expires_at: datetime) -> datetime:
    """When its owner is warned of a lot's end: 7 days before it, or at half-time where they were
    told of it less than a fortnight before, so that nobody is warned of what they just read.
    """
    life = expires_at - end_set_at
    return expires_at - min(WARNING_BEFORE, life / 2)


def value_of_each_minor(paid_minor: int, bought: int) -> int:
    """What one bought credit cost, rounded half up; 0 where nothing was bought."""
    return round_half_up(paid_minor, bought) if bought else 0


def unused_bought(balance: int, bought: int, added: int) -> int:
    """Of the credits that are left, those that were paid for: the added ones are used last."""
    return max(0, min(balance - max(added, 0), bought))


def refundable_minor(
    rule: RefundRule, *, paid_minor: int, bought: int, unused: int, single_minor: int
) -> int:
    """What the unused bought credits are worth, at most what was paid.

    `single_minor` is the price of one session when the package was bought; without one, claw-back
    is linear.
    """
    if not bought or not unused:
        return 0
    if rule is RefundRule.CLAW_BACK and single_minor:
        return max(0, paid_minor - (bought - unused) * single_minor)
    return round_half_up(paid_minor * unused, bought)


def taken_with_money(unused: int, worth_minor: int, left_minor: int) -> int:
    """How many of the unused credits leave when only so much is left of what was paid: in
    proportion to the part of their worth that is gone, rounded half up.
    """
    gone_minor = max(0, worth_minor - left_minor)
    return round_half_up(unused * gone_minor, worth_minor) if worth_minor else 0


def saving(price_minor: int, count: int, singles_minor: Collection[int]) -> tuple[int, bool]:
    """What the package saves against as many single sessions, and whether that is an "up to": the
    services it is good for cost differently. 0 where it saves nothing.
    """
    if not singles_minor:
        return 0, False
    best = max(singles_minor) * count - price_minor
    return max(0, best), len(set(singles_minor)) > 1
