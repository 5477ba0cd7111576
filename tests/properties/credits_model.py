"""The model's rules for credits: what they pay, what they are worth, and where they come from."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.properties.sales_model import Sales
from tests.properties.sums import half_up
from tests.properties.things import Back, Gift, Lot, Offer, Place, Purchase, Run, Sale

ZONE = ZoneInfo("Europe/Amsterdam")
FLOW = "flow"
GIVEN_FOR_DAYS = 6
GRACE_DAYS = 30


class Credits(Sales):
    """Lots of credits, each with a balance, and money that is in them."""

    def may_pay(
        self, lot: Lot, runs: list[Run], what: Run | Offer, size: int, now: datetime
    ) -> bool:
        """Whether the lot has a credit for each seat; what is free needs none."""
        sold_as = what.sold_as if isinstance(what, Run) else what
        takes = isinstance(what, Run) or what.takes_credits
        last = max(run.starts_at for run in runs)
        is_for_it = takes and lot.is_for(what.tags)
        return sold_as.price_type != "free" and is_for_it and lot.has(size * len(runs), last, now)

    def look_at_lots(self, now: datetime) -> None:
        """Who has credits left is warned before their end, and told of it."""
        for lot in self.lots:
            warns_at = lot.warns_at()
            if warns_at is None or lot.expires_at is None or not lot.balance:
                continue
            if lot.expires_at < now:
                lot.lost, lot.balance = lot.lost + lot.balance, 0
                self.mails["billing.credits_expired", lot.guest] += not lot.is_told
                lot.is_told = True
            elif warns_at <= now and not lot.is_warned:
                lot.is_warned = True
                self.mails["billing.credits_warning", lot.guest] += 1

    def give_credit_back(self, place: Place, now: datetime) -> None:
        """Unless nothing that was kept of its money pays for it any more."""
        lot = place.lot
        if lot is None:
            return
        self.gave_credits_back += 1
        lot.balance += 1 - self.is_unpaid(lot, now)

    def is_unpaid(self, back: Lot, now: datetime) -> bool:
        """Of a credit that comes back to the lot: what is kept of its money covers those that can
        be used first, and then those that were lost. One that stands for another is of its money,
        and of all these the one that comes back now is the first to go.
        """
        of = back.paid_by
        if of is None or not of.refunded:
            return False
        kept = of.kept
        mine = [one for one in self.lots if one.paid_by is of and one.paid]
        groups = [[one, *(new for new in self.lots if new.original is one)] for one in mine]
        for group in sorted(groups, key=lambda own: self._turn(own, back, now)):
            lot = group[0]
            held = sum(one.balance + one.lost for one in group) + (back in group)
            unused = min(held, lot.bought)
            worth = self._worth_of(lot, unused)
            if back in group:
                gone = max(worth - kept, 0)
                return bool(half_up(unused * gone, worth)) if worth else not kept
            kept = max(kept - worth, 0)
        return False

    def uncovered_stand_ins(self, of: Sale | Purchase, now: datetime) -> list[Lot]:
        """What has ended, or was lost, goes before them."""
        found: list[Lot] = []
        for paid in self.lots if isinstance(of, Purchase) else []:
            new = [one for one in self.lots if one.original is paid and one.balance]
            if paid.paid_by is not of or not paid.paid or not new:
                continue
            held = paid.balance + paid.lost + sum(one.balance + one.lost for one in new)
            unused = min(held, paid.bought)
            worth = self._worth_of(paid, unused)
            gone = max(worth - of.kept, 0)
            number = half_up(unused * gone, worth) if worth else unused * (not of.kept)
            spare = 0 if paid.expires_at is None or now <= paid.expires_at else paid.balance
            number -= paid.lost + spare
            new.sort(key=lambda one: (not one.has_ended(now), one.id))
            found += new[: max(number, 0)]
        return found

    def _turn(self, group: list[Lot], back: Lot, now: datetime) -> int:
        """What can be used is paid for first, then what comes back, and what has ended last."""
        live = [one for one in group if (one.balance or one is back) and not one.has_ended(now)]
        return 2 if not live else int(back in live)

    def replace_lapsed(self, place: Place, now: datetime) -> bool:
        """Of what the business has called off no credit is lost: one that has ended comes back as
        a new one, in which there is no money, if what had paid it was kept.
        """
        old = place.lot
        if old is None or old.expires_at is None or now <= old.expires_at:
            return False
        if self.is_unpaid(old, now):
            return False
        new = self._born(place, now, GRACE_DAYS)
        new.tag, new.paid_by, new.stands_for = old.tag, old.paid_by, old
        return True

    # --- given for a place instead of its money

    def give_credits(self, sale: Sale, places: list[Place], now: datetime) -> None:
        """One for each of them that something is left of what was paid for."""
        for place in places:
            value = min(place.share, self.unreturned(sale))
            if value > 0:
                new = self._born(place, now, GIVEN_FOR_DAYS)
                new.tag, new.paid_by, new.paid = FLOW, sale, value

    def would_bring(self, place: Place, now: datetime) -> Lot:
        ends_at = end_of_day(GIVEN_FOR_DAYS, now)
        return Lot(place.id, place.order.guest, 1, now, ends_at, tag=FLOW, bought=1)

    def _born(self, place: Place, now: datetime, days: int) -> Lot:
        ends_at = end_of_day(days, now)
        lot = Lot(place.id, place.order.guest, 1, now, ends_at, bought=1)
        self.lots.append(lot)
        self.gave_credits += 1
        return lot

    def unreturned(self, sale: Sale) -> int:
        """What was paid and has come back in no way, nor is in a credit."""
        return max(sale.left - sale.promised - self.in_credits(sale), 0)

    def in_credits(self, sale: Sale) -> int:
        """What of its money lies in credits, those that were spent or have ended too."""
        return sum(lot.paid - lot.returned for lot in self.lots if lot.paid_by is sale)

    # --- and given back as money

    def buy_credits(self, lot: Lot, purchase: Purchase) -> None:
        self.lots.append(lot)
        self.purchases.append(purchase)
        self.mails["package_bought", lot.guest] += 1

    def worth(self, lot: Lot, now: datetime) -> int:
        """What was paid for those that are left, and is left of the payment: of the one with most
        left, where a voucher paid a part.
        """
        has_ended = lot.expires_at is not None and lot.expires_at < now
        if lot.paid_by is None or has_ended or not lot.bought or not lot.balance:
            return 0
        of = lot.paid_by
        by_way = max(of.at_processor, of.on_gift) or of.by_hand
        return max(min(self._whole_worth(lot), lot.paid - lot.returned, by_way), 0)

    def _whole_worth(self, lot: Lot) -> int:
        return self._worth_of(lot, min(lot.balance, lot.bought))

    def _worth_of(self, lot: Lot, unused: int) -> int:
        before = half_up(lot.paid * lot.refunded, lot.bought)
        return half_up(lot.paid * min(lot.refunded + unused, lot.bought), lot.bought) - before

    def refund_credits(self, lot: Lot, amount: int) -> None:
        of = lot.paid_by
        assert of is not None
        if of.by_card:
            gift = of.gift if isinstance(of, Sale) and of.on_gift > of.at_processor else None
            self._instead_of_the_same(of, amount, gift)
            self._set_aside(Back(of, amount, "credits", gift, lot=lot, credits=lot.balance))
        else:
            of.promised += amount
        lot.refunded, lot.balance = lot.refunded + lot.balance, 0
        lot.returned += amount
        self.mails["billing.credits_changed", lot.guest] += 1

    def _instead_of_the_same(self, of: Sale | Purchase, amount: int, gift: Gift | None) -> None:
        """It takes the place of the oldest that failed over the very amount."""
        waiting = (one for one in self.failed(of) if one.is_waiting and one.gift is gift)
        for back in waiting:
            if back.amount == amount:
                back.is_waiting = False
                return

    def is_free(
        self, of: Sale | Purchase, amount: int, now: datetime, again: Back | None = None
    ) -> bool:
        """What lies in credits goes back with these only."""
        in_them = self.in_credits(of) if isinstance(of, Sale) else 0
        for lot in self.lots if isinstance(of, Purchase) else ():
            if lot.paid_by is of and (lot.expires_at is None or now <= lot.expires_at):
                in_them += self._whole_worth(lot)
        if again is not None and again.lot is not None:
            in_them -= amount if isinstance(of, Sale) else self._whole_worth(again.lot)
        is_covered = of.is_late or in_them <= 0 or amount <= of.left - in_them
        return super().is_free(of, amount, now, again) and is_covered

    def revocable(self, sale: Sale, now: datetime) -> list[Lot]:
        """Unspent credits that the purchase has brought."""
        mine = (one for one in self.lots if one.paid_by is sale and one.balance)
        return [one for one in mine if one.expires_at is None or one.expires_at >= now]

    def revoke(self, lots: list[Lot], left: int, there: int) -> int:
        """Whole ones, as many as most of what is `left` of the choice is for; or all of them for
        what is `there`, where that is less than is in them. Returns what goes back for them; their
        owner is told of them once for all of a name.
        """
        worths = [lot.paid - lot.returned for lot in lots]
        value = min(sum(worths), there)
        if not 0 < value <= left:
            value = 0
            if sum(worths) <= there:
                value = max(one for one in sums_of(worths) if one <= left)
            lots = _first_of(lots, value)
        for lot in lots:
            lot.balance, lot.paid = 0, lot.returned
        for guest, _tag in {(lot.guest, lot.tag) for lot in lots}:
            self.mails["billing.credits_changed", guest] += 1
        return value


def sums_of(worths: list[int]) -> set[int]:
    """What some of them come to, or none."""
    sums = {0}
    for worth in worths:
        sums |= {one + worth for one in sums}
    return sums


def _first_of(lots: list[Lot], value: int) -> list[Lot]:
    """Those that come to it, of equal choices what ends first and then by seat."""
    found: list[Lot] = []
    lots = [lot for lot in lots if lot.paid > lot.returned]
    lots.sort(key=lambda one: (one.expires_at is None, one.expires_at or one.told_at, one.id))
    while value:
        least = next(
            number
            for number in range(1, len(lots) + 1)
            if value in sums_of([lot.paid - lot.returned for lot in lots[:number]])
        )
        *lots, last = lots[:least]
        value -= last.paid - last.returned
        found.append(last)
    return found


def end_of_day(days: int, now: datetime) -> datetime:
    """The last second of the day, so many days on."""
    on = now.astimezone(ZONE).date() + timedelta(days=days + 1)
    return datetime.combine(on, time(), ZONE).astimezone(now.tzinfo) - timedelta(seconds=1)
