"""The model's rules for waiting lists, and with them the whole of it.

When a list is looked at, and so which of two offers comes first, is the real one's business. What
came of it is followed here, and has to be fair and complete.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from tests.properties.ending_model import Calling
from tests.properties.things import (
    FOUND_BY_CLOCK,
    OFFER_LASTS,
    OFFERED_BEFORE,
    OFFERS_END_BEFORE,
    RUSH_BEFORE,
    Entry,
    Offer,
    Promise,
    Run,
    Sale,
    sells_singly,
)


class Model(Calling):
    """Everything that one business has sold, and who waits for it."""

    def entry_of(self, guest: str, what: Run | Offer) -> Entry | None:
        mine = (one for one in self.entries if one.guest == guest and one.what is what)
        return next((one for one in mine if one.stands), None)

    def promise_of(self, entry: Entry) -> Promise | None:
        own = (one for one in self.promises if one.entry is entry and one.state == "live")
        return next(own, None)

    def dates_waited_for(self, what: Run | Offer, now: datetime) -> list[Run]:
        """None of them when nobody can be offered anything."""
        is_sold = sells_singly(what) if isinstance(what, Run) else what.active
        dates = [what] if isinstance(what, Run) else what.runs
        coming = [run for run in dates if run.state == "scheduled" and run.starts_at > now]
        in_time = coming and now <= min(run.starts_at for run in coming) - OFFERED_BEFORE
        return coming if is_sold and in_time else []

    def room(self, dates: Iterable[Run]) -> int:
        return min(self.free(run) for run in dates)

    def may_join(self, what: Run | Offer, size: int, now: datetime) -> bool:
        dates = self.dates_waited_for(what, now)
        if not dates:
            return False
        left = self._left_to_others(now)
        could_fit = all(size <= run.capacity for run in dates)
        return min(left[run] for run in dates) < size and could_fit

    def _left_to_others(self, now: datetime) -> dict[Run, int]:
        """What is free and will not be offered to who waits already, in turn, once their list has
        heard of it. A party that holds up its list has nothing kept for it, nor has a list that
        tells everybody at once.
        """
        left, held_up = {run: self.free(run) for run in self.runs}, set[Run | Offer]()
        for entry in (one for one in self.entries if one.state == "waiting"):
            dates = self.dates_waited_for(entry.what, now)
            if not dates or now >= min(run.starts_at for run in dates) - RUSH_BEFORE:
                continue
            room = min(left[run] for run in dates)
            if room >= entry.size and entry.what not in held_up:
                left |= {run: left[run] - entry.size for run in dates}
            elif 0 < room < entry.size <= min(run.capacity for run in dates) and not entry.passes:
                held_up.add(entry.what)
        return left

    def join(self, entry_id: UUID, guest: str, what: Run | Offer, size: int) -> None:
        self.mails["waitlist_joined", guest] += 1
        if self.entry_of(guest, what) is None:
            self.entries.append(Entry(entry_id, what, guest, size, len(self.entries)))

    def end_entry(self, entry: Entry, state: str, offer_state: str) -> None:
        """Nothing happens to one that is on no list any more."""
        if not entry.stands:
            return
        promise = self.promise_of(entry)
        if promise is not None:
            promise.state = offer_state
        entry.state = state
        self.mails["waitlist_removed", entry.guest] += state == "removed"

    def take(self, promise: Promise, sale: Sale, now: datetime) -> None:
        """An offer is taken once; a guest who begins again keeps what became of it."""
        if promise.state == "live" and promise.expires_at >= now:
            promise.state, promise.sale = "taken", sale
            promise.entry.state = "accepted"
        elif promise.sale is not None and promise.sale.state not in ("open", "confirmed"):
            promise.sale = sale

    # --- by hand

    def may_offer(self, entry: Entry, now: datetime) -> bool:
        dates = self.dates_waited_for(entry.what, now)
        other = self.entry_of(entry.guest, entry.what)
        may = entry.state in ("waiting", "removed", "expired") and other in (None, entry)
        return may and bool(dates) and self.room(dates) >= entry.size

    # --- following what the lists did

    def promise(self, promise: Promise) -> None:
        self.promises.append(promise)
        promise.entry.state = "offered"
        self.mails["places_offered", promise.entry.guest] += 1

    def unfair(self, promise: Promise, now: datetime, *, by_hand: bool = False) -> list[str]:
        """What is wrong about a new offer."""
        entry, wrong = promise.entry, []
        dates = self.dates_waited_for(entry.what, now)
        closes_at = promise.closes_at
        is_rush = now >= closes_at + OFFERS_END_BEFORE - RUSH_BEFORE and not by_hand
        ends_at = closes_at if is_rush else min(now + OFFER_LASTS, closes_at)
        if set(promise.runs) != set(dates) or promise.places != entry.size:
            wrong.append("offers something else than was waited for")
        if promise.holds == is_rush or promise.expires_at != ends_at:
            wrong.append(f"lasts until {promise.expires_at}, not {ends_at}")
        if promise.holds and not by_hand and self._passed_over(entry):
            wrong.append("passes over somebody who waits longer")
        return wrong

    def _passed_over(self, entry: Entry) -> list[Entry]:
        ahead = [one for one in self._ahead(entry) if one.state == "waiting"]
        return [one for one in ahead if one.size <= entry.size]

    def _ahead(self, entry: Entry) -> list[Entry]:
        same = (one for one in self.entries if one.what is entry.what)
        return [one for one in same if one.stands and one.place < entry.place]

    def moved_on(self, entry: Entry, state: str, now: datetime) -> bool:
        """Whether the entry may have become this by itself."""
        dates = entry.dates
        match entry.state, state:
            case "offered", "expired":
                promise = self.promise_of(entry)
                return promise is not None and promise.expires_at < now
            case "waiting" | "offered", "left":
                return self._has_another(entry)
            case "offered", "waiting":
                return any(run.state == "cancelled" for run in dates) or self._moved_away(
                    entry, now
                )
            case "waiting" | "offered", "closed":
                over = all(run.state == "cancelled" or run.starts_at <= now for run in dates)
                self.mails["waitlist_closed", entry.guest] += over
                return over
        return False

    def _moved_away(self, entry: Entry, now: datetime) -> bool:
        """Whether the dates offered have got a time at which the offer makes no sense."""
        promise = self.promise_of(entry)
        return promise is not None and (promise.closes_at < now or not promise.holds)

    def _has_another(self, entry: Entry) -> bool:
        """Whether the guest got a place for the same time by another offer."""
        taken = [
            place.run
            for promise in self.promises
            if promise.sale is not None and promise.entry.guest == entry.guest
            for place in promise.sale.places
        ]
        return any(
            one.starts_at < other.ends_at and other.starts_at < one.ends_at
            for one in taken
            for other in entry.dates
        )

    def forgotten(self, now: datetime) -> list[str]:
        """Who could be offered a place and was not, or keeps one that is over."""
        live = [one for one in self.promises if one.state == "live"]
        overdue = [one for one in live if one.expires_at < now and not one.is_stopped]
        wrong = [f"{one.id} is over" for one in overdue]
        for entry in self.entries:
            if entry.state != "waiting" or not self._could_have(entry, now):
                entry.could_since = None
                continue
            entry.could_since = entry.could_since or now
            if self._is_told(entry, now) or entry.could_since + FOUND_BY_CLOCK < now:
                wrong.append(f"{entry.id} could have had a place since {entry.could_since}")
        return wrong

    def _is_told(self, entry: Entry, now: datetime) -> bool:
        """Whether its list hears at once of all that frees places: of a date that has begun, may
        be called off, or can be waited for again it learns by the clock.
        """
        return all(
            not run.is_back_in_time and run.state != "cancelling" and run.starts_at > now
            for run in entry.dates
        )

    def _could_have(self, entry: Entry, now: datetime) -> bool:
        dates = self.dates_waited_for(entry.what, now)
        if not dates or self.room(dates) < entry.size:
            return False
        is_rush = now >= min(run.starts_at for run in dates) - RUSH_BEFORE
        ahead = [one for one in self._ahead(entry) if one.state == "waiting"]
        held_up = any(one.size > self.room(dates) for one in ahead) and not entry.passes
        return is_rush or not held_up
