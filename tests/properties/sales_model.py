"""The booking core once more, in a few plain objects: what the machine expects of the real one.

Written from the domain's rules and not from the code: no statement, no lock, no job. Each method
says whether the real thing must do it (False: must refuse), and if so what is so afterwards. Here:
what is bought and paid; what becomes of it later is in the modules that build on this one.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from tests.properties.money_model import Money
from tests.properties.sums import half_up
from tests.properties.things import (
    HOLD,
    HOLD_BY_LINK,
    LIVE,
    MARGIN,
    OWNER,
    PAGE,
    Discount,
    Ending,
    Entry,
    Fee,
    Offer,
    Place,
    Promise,
    Run,
    Sale,
    sells_singly,
    whole,
)


class Sales(Money):
    """What is on offer, what was sold of it, and the money that came."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[Run] = []
        self.series: list[Offer] = []
        self.coupons: list[Discount] = []
        self.sales: list[Sale] = []
        self.gave_credits_back = 0
        self.gave_credits = 0
        self.sold_package_id = self.given_package_id = UUID(int=0)
        self.endings: list[Ending] = []
        self.entries: list[Entry] = []
        self.promises: list[Promise] = []
        self.fees: list[Fee] = []

    def places(self, run: Run | None = None) -> list[Place]:
        everywhere = (place for sale in self.sales for place in sale.places)
        return [place for place in everywhere if run is None or place.run is run]

    def seated(self, run: Run) -> int:
        return sum(place.state in LIVE for place in self.places(run))

    def free(self, run: Run) -> int:
        offered = sum(promise.held(run) for promise in self.promises)
        return run.capacity - self.seated(run) - offered

    def standing(self, guest: str) -> int:
        """How many orders of the guest still have a seat that is paid for, or needs no payment. Of
        a swap they hear by the mail about the new date.
        """
        theirs = (one for one in self.sales if one.guest == guest and not one.by_swap)
        return sum(any(one.state == "confirmed" for one in sale.places) for sale in theirs)

    # --- buying

    def price_of(
        self, what: Run | Offer, size: int, now: datetime, taking: Promise | None = None
    ) -> tuple[list[Run], int, int | None] | None:
        """The runs that are bought, what one person pays and what a child does, if that is another
        price; None when it must be refused. `taking` is the offer that is taken up.
        """
        if taking is not None and taking.expires_at < now:
            taking = None
        room = {one: self.free(one) + (taking.held(one) if taking else 0) for one in self.runs}
        if isinstance(what, Run):
            bookable = sells_singly(what) and what.state == "scheduled" and now <= what.starts_at
            prices = (what.sold_as.price_minor, what.sold_as.child_minor)
            if what.sold_as.price_type == "free":
                prices = (0, None)
            return ([what], *prices) if bookable and room[what] >= size else None
        standing = [run for run in what.runs if run.state == "scheduled"]
        coming = [run for run in standing if run.starts_at >= now]
        if not what.active or not coming or any(room[run] < size for run in coming):
            return None
        coming.sort(key=lambda run: (run.starts_at, run.id))
        if what.price_type == "free":
            return coming, 0, None
        base = min(what.base, len(standing))
        part = [
            None if price is None else min(half_up(price * len(coming), base), price)
            for price in (what.price_minor, what.child_minor)
        ]
        return coming, part[0] or 0, part[1]

    def discount(self, coupon: Discount | None, full: int, guest: str) -> int | None:
        """What comes off, None when the coupon must be refused."""
        if coupon is None:
            return 0
        is_spent = coupon.used.total() >= coupon.most or coupon.used[guest] >= coupon.most_each
        off = half_up(full * coupon.percent, 100)
        return None if is_spent or off == 0 else off

    def book(self, sale: Sale) -> None:
        self.sales.append(sale)
        if sale.coupon is not None:
            sale.coupon.used[sale.guest] += 1
        if sale.gift is not None:
            sale.gift.balance -= sale.part
        if sale.state == "open":
            sale.hold_until = sale.hold_until or whole(sale.created_at + self._hold_of(sale))
            self.mails["payment_link", sale.guest] += sale.by_link
            for kind in ("awaited", "reminder") if sale.mode == "transfer" else ():
                self.mails[f"billing.transfer_{kind}", sale.guest] += 1
        else:
            sale.confirmed_at = sale.created_at
            self.pay_by_gift(sale)
            self.mails["confirmed", sale.guest] += 1

    def book_fee(self, sale: Sale) -> None:
        """The order that a fee is paid with."""
        sale.hold_until = whole(sale.created_at + HOLD)
        self.sales.append(sale)

    def fee_of(self, place: Place) -> Fee | None:
        return next((one for one in self.fees if one.place is place), None)

    def _hold_of(self, sale: Sale) -> timedelta:
        """A day by a link, but not into what was bought, unless that is too little to pay in."""
        if not sale.by_link:
            return HOLD
        first = min(place.run.starts_at for place in sale.places)
        return max(min(HOLD_BY_LINK, first - sale.created_at), HOLD)

    def open_page(self, sale: Sale, now: datetime) -> bool:
        if sale.state != "open" or sale.hold_until is None or now >= sale.hold_until:
            return False
        sale.page_until = whole(now + PAGE)
        sale.hold_until = sale.page_until + MARGIN
        return True

    # --- money comes, or does not

    def hear(self, sale: Sale, now: datetime, lost: Iterable[Place] = ()) -> None:
        """We learn of the money that was taken."""
        sale.taken, sale.paid = False, sale.paid + sale.to_pay
        if sale.state == "open":
            self._confirm(sale, now, set(lost))
        elif sale.state != "expired" or not self._stands_again(sale, now):
            sale.is_late = True
            self.ask(sale, sale.to_pay, "too_late")
            self.mails["billing.payment_too_late", sale.guest] += 1

    def _stands_again(self, sale: Sale, now: datetime) -> bool:
        """All that an ended hold had, or nothing of it."""
        if not self._can_have_again(sale):
            return False
        for place in sale.places:
            place.state = "confirmed"
        if sale.coupon is not None:
            sale.coupon.used[sale.guest] += 1
            sale.coupon.paid_late += 1
        if sale.gift is not None:
            sale.gift.balance -= sale.part
        self._stands(sale, now)
        if sale.fee is not None:
            self._pay_fee(sale.fee)
        return True

    def _confirm(self, sale: Sale, now: datetime, lost: set[Place]) -> None:
        self._stands(sale, now)
        for place in sale.places:
            place.state = "cancelled" if place in lost else "confirmed"
            place.returned = place.share if place in lost else 0
        self.ask(sale, sum(place.returned for place in sale.places), "lost")
        if sale.fee is not None and sale.fee.state != "asked":
            self.ask(sale, sale.total, "lost")
        elif sale.fee is not None:
            self._pay_fee(sale.fee)

    def _pay_fee(self, fee: Fee) -> None:
        fee.state = "paid"
        self.mails["billing.fee_paid", fee.place.order.guest] += 1

    def _stands(self, sale: Sale, now: datetime) -> None:
        sale.state, sale.confirmed_at = "confirmed", now
        self.pay_by_gift(sale)
        self.mails["confirmed", sale.guest] += 1

    def _can_have_again(self, sale: Sale) -> bool:
        if any(one.subject is sale and one.state == "done" for one in self.endings):
            return False
        if sale.gift is not None and not sale.gift.covers(sale.part):
            return False
        if sale.fee is not None and sale.fee.state != "asked":
            return False
        wanted = Counter(place.run for place in sale.places)
        return all(
            run.state == "scheduled" and self.free(run) >= count for run, count in wanted.items()
        )

    def end_hold(self, sale: Sale, state: str) -> None:
        sale.state, sale.page_until = state, None
        if sale.mode == "transfer":
            self.mails["billing.transfer_over", sale.guest] += state == "expired"
            self.mails["billing.open_item", OWNER] += bool(sale.received)
        for place in sale.places:
            place.state = "expired"
        if sale.coupon is not None:
            sale.coupon.used[sale.guest] -= 1
        if sale.gift is not None:
            sale.gift.balance += sale.part

    def sweep(self, now: datetime) -> None:
        for sale in self.sales:
            if sale.state == "open" and sale.hold_until is not None and sale.hold_until <= now:
                self._close(sale, now, "expired", ())

    def _close(self, sale: Sale, now: datetime, state: str, lost: Iterable[Place]) -> None:
        if sale.taken:
            self.hear(sale, now, lost)
        else:
            self.end_hold(sale, state)

    # --- staff do not wait for it

    def is_called_off(self, sale: Sale) -> bool:
        """Whether any of it is being cancelled, even where that can still be undone."""
        is_off = any(place.run.state != "scheduled" for place in sale.places)
        waiting = (one for one in self.endings if one.state == "waiting")
        return is_off or any(one.subject is sale for one in waiting)

    def mark_held(self, sale: Sale, now: datetime) -> int | None:
        """What the business took itself for it, None when it must be refused."""
        if sale.by_link and sale.state == "confirmed" and sale.paid:
            return 0
        is_held = sale.by_link and sale.state == "open" and sale.page_until is None
        if not is_held or self.is_called_off(sale):
            return None
        sale.mode, sale.paid = "on_site", sale.total
        self._confirm(sale, now, set())
        return sale.total

    def release_held(self, sale: Sale, now: datetime) -> bool:
        if not sale.by_link or sale.state != "open":
            return False
        self._close(sale, now, "cancelled", ())
        return True

    def owed(self, sale: Sale) -> int:
        """What a guest still pays at the door: nothing for what was cancelled in time, nor for what
        they had left late before the business called it off.
        """
        if sale.mode != "on_site" or sale.state != "confirmed":
            return 0
        waived = sum(
            place.share
            for place in sale.places
            if place.state == "cancelled"
            or (place.state == "late_cancelled" and place.run.state == "cancelled")
        )
        return max(sale.total - waived - sale.paid + self.back_on_gift(sale), 0)
