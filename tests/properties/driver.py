"""What every step of the machine stands on: how it is made, counted, and looked at afterwards."""

from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine, invariant

from tests.properties.invariants import WHAT_IS_BROKEN, WHAT_IS_BROKEN_AT_REST
from tests.properties.model import Model
from tests.properties.steps import Steps
from tests.properties.things import LIVE, OWNER, Back, Entry, Place, Promise, Purchase, Run, Sale
from tests.properties.world import Shop, World

T = TypeVar("T")
GUESTS = ("carl", "dora", "emil")
NEVER_OVERTAKEN = ("seats_cancelled", "billing.refunded", "billing.payment_too_late")
NEVER_OVERTAKEN += ("billing.refund_failed",)
_STATE = (
    "SELECT 'session' AS what, id, state, capacity AS a, seats_taken AS b, starts_at AS at"
    " FROM sessions UNION ALL"
    " SELECT 'order', id, state, paid_minor, refunded_minor, NULL FROM orders UNION ALL"
    " SELECT 'seat', id, concat_ws(' ', state, participant_id, CASE WHEN is_handed_on THEN 'on'"
    " END),"
    " share_minor, returned_minor, NULL FROM seats UNION ALL"
    " SELECT 'fee', subject_id, state, amount_minor, (told_at IS NOT NULL)::int, chargeable_at"
    " FROM fees UNION ALL"
    " SELECT 'coupon', id, '', used, 0, NULL FROM coupons UNION ALL"
    " SELECT 'lot', coalesce(source_seat_id, id), '', balance, refunded_minor, expires_at"
    " FROM credit_lots UNION ALL"
    " SELECT 'voucher', id, state, balance_minor, 0, expires_at FROM vouchers UNION ALL"
    " SELECT 'entry', id, state, party_size, 0, NULL FROM waitlist_entries UNION ALL"
    " SELECT 'promise', id, state, places, holds::int, expires_at FROM waitlist_offers"
)
_STATE_AND_BROKEN = (
    f"{_STATE} UNION ALL SELECT 'broken', NULL, broken || ': ' || what, 0, 0, NULL"
    f" FROM ({WHAT_IS_BROKEN}) AS found"
)
_LISTS = (
    "SELECT 0, id, state, NULL, NULL, 0, false, NULL FROM waitlist_entries UNION ALL"
    " SELECT 1, id, state, entry_id, session_ids, places, holds, expires_at FROM waitlist_offers"
    " ORDER BY 1, 2"
)
_AT_REST = (
    f"SELECT 'broken', broken || ': ' || what, '', 1 FROM ({WHAT_IS_BROKEN_AT_REST}) AS found"
    " UNION ALL SELECT 'woken', '', '', count(*) FROM outbox"
    " WHERE consumer = 'booking.serve_waitlists'"
    " UNION ALL SELECT 'mail', kind, to_address, count(*) FROM mails GROUP BY kind, to_address"
)


class Driver(RuleBasedStateMachine):
    """A business, its model, and the comparing of the two."""

    shop: Shop
    steps: Steps
    model: Model

    def __init__(self, world: World, stranger: Shop) -> None:
        super().__init__()
        self.world = world
        self.stranger = stranger

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    # --- after every step

    @invariant()
    def all_is_well(self) -> None:
        """What is real is what the model has, and breaks none of the domain's invariants."""
        real, broken = self.shop.run(self._look())
        assert broken == [], broken
        wanted = self._model_state()
        assert real == wanted, f"is: {real - wanted}, should be: {wanted - real}"
        self._count("step")
        if self.model.gave_credits_back:
            self._count("give a credit back")
        if self.model.gave_credits:
            self._count("give a credit for a seat")

    async def _look(self) -> tuple[set[tuple[object, ...]], list[str]]:
        seen = await self.world.look(_STATE_AND_BROKEN)
        real = {row for row in seen if row[0] != "broken"}
        return real, [row[2] for row in seen if row[0] == "broken"]

    def _model_state(self) -> set[tuple[object, ...]]:
        model = self.model
        found = self._money_state()
        for run in model.runs:
            taken = run.capacity - model.free(run)
            found.add(("session", run.id, run.state, run.capacity, taken, run.starts_at))
        for sale in model.sales:
            found.add(("order", sale.id, sale.state, sale.paid, sale.refunded, None))
        for place in model.places():
            state = f"{place.state} {place.person}" + (" on" if place.is_handed_on else "")
            found.add(("seat", place.id, state, place.share, place.returned, None))
        for coupon in model.coupons:
            found.add(("coupon", coupon.id, "", coupon.used.total(), 0, None))
        for entry in model.entries:
            found.add(("entry", entry.id, entry.state, entry.size, 0, None))
        for own in model.promises:
            row = ("promise", own.id, own.state, own.places, int(own.holds), own.expires_at)
            found.add(row)
        return found

    def _money_state(self) -> set[tuple[object, ...]]:
        """Of what is worth money, or asks for some."""
        model, found = self.model, set[tuple[object, ...]]()
        for fee in model.fees:
            row = ("fee", fee.place.id, fee.state, fee.amount, int(fee.is_told), fee.tells_at)
            found.add(row)
        for lot in model.lots:
            found.add(("lot", lot.id, "", lot.balance, lot.returned, lot.expires_at))
        for gift in model.gifts:
            found.add(("voucher", gift.id, gift.state, gift.balance, 0, gift.expires_at))
        for one in model.purchases:
            found.add(("order", one.id, "confirmed", one.paid, one.refunded, None))
        return found

    def _follow(self, *, by_hand: bool = False) -> None:
        """What the lists did by themselves was fair."""
        wrong, entries = [], {one.id: one for one in self.model.entries}
        seen = self.shop.run(self.world.look(_LISTS))
        known = {one.id: one for one in self.model.promises}
        offers = [row for row in seen if row[0] == 1]
        new = [self._promise(row, entries) for row in offers if row[1] not in known]
        for row in offers:
            if row[1] in known:
                wrong += self._lasts(known[row[1]], row[7])
        for promise in new:
            self.model.promise(promise)
        for promise in new:
            wrong += self.model.unfair(promise, self.now, by_hand=by_hand)
            self._count("offer by hand" if by_hand else "offer")
        for _kind, entry_id, state, *_rest in (row for row in seen if row[0] == 0):
            entry = entries[entry_id]
            if entry.state != state:
                if not self.model.moved_on(entry, state, self.now):
                    wrong.append(f"{entry.id} became {state} from {entry.state}")
                self._count(f"{entry.state} becomes {state}")
                entry.state = state
        for promise in self.model.promises:
            [promise.state] = [row[2] for row in offers if row[1] == promise.id]
        assert wrong == []

    def _lasts(self, promise: Promise, expires_at: datetime) -> list[str]:
        """An offer ends sooner only where its dates ask for it."""
        if expires_at not in (promise.expires_at, min(promise.expires_at, promise.closes_at)):
            return [f"{promise.id} lasts until {expires_at}, not {promise.expires_at}"]
        promise.expires_at = expires_at
        return []

    def _promise(self, row: tuple[Any, ...], entries: dict[UUID, Entry]) -> Promise:
        _kind, promise_id, _state, entry_id, session_ids, places, holds, expires_at = row
        runs = [run for run in self.model.runs if run.id in session_ids]
        return Promise(promise_id, entries[entry_id], runs, places, holds, expires_at)

    def _all_is_at_rest(self) -> None:
        """Everything that was due has been done: each guest was told, nobody was forgotten."""
        seen = self.shop.run(self.world.look(_AT_REST, self.now))
        broken = [what for kind, what, _to, _count in seen if kind == "broken"]
        assert broken == [], broken
        mails = {row[1:3]: row[3] for row in seen if row[0] == "mail"}
        self._every_guest_was_told_once(mails)
        self._processor_has_given_back_as_much()
        if not any(row[3] for row in seen if row[0] == "woken"):
            assert self.model.forgotten(self.now) == []

    def _every_guest_was_told_once(self, mails: dict[tuple[Any, ...], int]) -> None:
        """One mail for each thing that happened to a guest, each sent once. What was overtaken
        before its mail left may have none.
        """
        sent = Counter(mail.headers["Message-ID"] for mail in self.world.mailer.sent)
        elsewhere = [row for row in mails if row[1].endswith("@elsewhere.example")]
        others = sum(mails.pop(row) for row in elsewhere)
        assert [one for one, times in sent.items() if times > 1] == []
        told: Counter[tuple[str, str]] = Counter()
        for (kind, address), count in mails.items():
            guest = address.removesuffix("@guests.example")
            told[kind, guest if guest in GUESTS else OWNER] = count
        assert told.total() + others == len(sent)
        happened = self.model.mails
        assert told - happened == Counter(), f"more mails than happened: {told - happened}"
        for (kind, guest), count in happened.items():
            if kind in NEVER_OVERTAKEN:
                assert told[kind, guest] == count, (kind, guest, told[kind, guest], count)
        for guest in GUESTS:
            assert told["confirmed", guest] >= self.model.standing(guest)

    def _processor_has_given_back_as_much(self) -> None:
        backs = [one for one in self.model.backs if one.gift is None]
        by_card = sum(one.amount for one in backs if one.state == "succeeded")
        assert sum(self.shop.given_back_by_processor().values()) == by_card

    def _attempt(self, step: Coroutine[Any, Any, T]) -> tuple[bool, T | None]:
        """Runs the step and counts it, by its name and whether it was allowed."""
        name = step.__name__
        allowed, result = self.shop.attempt(step)
        self._count(name if allowed else f"{name}, refused")
        return allowed, result

    def _count(self, deed: str) -> None:
        self.world.deeds[deed] += 1

    # --- what a step may be about

    @staticmethod
    def _any(those: Sequence[T], pick: int) -> T:
        return those[pick % len(those)]

    def _payable_without_page(self) -> list[Sale]:
        waiting = (one for one in self.model.sales if one.state == "open")
        return [one for one in waiting if one.page_until is None and one.mode != "transfer"]

    def _with_open_page(self) -> list[Sale]:
        return [
            one
            for one in self.model.sales
            if one.state == "open"
            and one.page_until is not None
            and self.now < one.page_until
            and not one.taken
        ]

    def _busy_runs(self) -> list[Run]:
        """Those with guests, if there are any: more happens there."""
        busy = {place.run for place in self.model.places() if place.state in LIVE}
        return [one for one in self.model.runs if one in busy] or self.model.runs

    def _held_by_link(self) -> list[Sale]:
        return [one for one in self.model.sales if one.by_link and one.state == "open"]

    def _by_transfer(self) -> list[Sale]:
        """Those that something is missing of, if there are any."""
        found = [one for one in self.model.sales if one.mode == "transfer"]
        return [one for one in found if one.state in ("open", "expired")] or found

    def _taken(self) -> list[Sale]:
        return [one for one in self.model.sales if one.taken]

    def _courses(self) -> list[Sale]:
        return [one for one in self.model.sales if one.is_series]

    def _confirmed(self) -> list[Place]:
        return [one for one in self.model.places() if one.state == "confirmed"]

    def _refundable(self) -> list[Sale | Purchase]:
        """What a refund takes of credits that have ended is no part of the model: plain tests in
        `tests/billing/commands/test_credit_refunds.py` have it.
        """
        everything: list[Sale | Purchase] = [*self.model.sales, *self.model.purchases]
        ended = {
            id(lot.paid_by)
            for lot in self.model.lots
            if lot.expires_at is not None and lot.expires_at < self.now
        }
        return [one for one in everything if one.by_card > 0 and id(one) not in ended]

    def _failed(self) -> list[Back]:
        """Those that wait for another try, if there are any."""
        failed = [one for one in self.model.backs if one.state == "failed"]
        return [one for one in failed if one.is_waiting] or failed

    def _promises(self) -> list[Promise]:
        """Those that stand, if there are any."""
        live = [one for one in self.model.promises if one.state == "live"]
        return live or self.model.promises

    def _is_lively(self) -> bool:
        """Whether most dates take place: where all is called off nothing happens any more."""
        off = [one for one in self.model.runs if one.state != "scheduled"]
        return bool(self.model.sales) and len(off) < len(self.model.runs) // 3

    def _coming(self) -> list[Run]:
        return [one for one in self.model.runs if self.model.dates_waited_for(one, self.now)]

    def _seats_waited_for(self) -> list[Place]:
        dates = [run for one in self.model.entries if one.state == "waiting" for run in one.dates]
        return [one for one in self._confirmed() if one.run in dates]

    def _entries(self) -> list[Entry]:
        standing = [one for one in self.model.entries if one.stands]
        return standing or self.model.entries
