"""The model's rules for who came and who did not, for fees, and for places that are handed on."""

from datetime import datetime, time, timedelta

from tests.properties.credits_model import ZONE
from tests.properties.sums import half_up
from tests.properties.things import Fee, FeeRule, Place, Run, Sale, is_coming
from tests.properties.transfers_model import Transfers

TIME_TO_FORGIVE = timedelta(hours=24)
EARLIEST = timedelta(hours=12)
HANDED_ON_BEFORE = timedelta(hours=3)


class Fees(Transfers):
    """Asked of who leaves late or does not come: once, and not at once."""

    def may_tick(self, run: Run, wanted: str, now: datetime) -> bool:
        midnight = datetime.combine(run.starts_at.astimezone(ZONE).date(), time(), ZONE)
        opens_at = {
            "attended": min(midnight, run.starts_at - EARLIEST),
            "no_show": run.starts_at,
        }.get(wanted, now)
        return run.state == "scheduled" and now >= opens_at

    def tick(self, place: Place, wanted: str, now: datetime) -> bool:
        """Whether it changes anything. Who had come after all is asked for nothing."""
        from_ = {"confirmed", "attended", "no_show"} - {wanted}
        if place.state not in from_ or (place.state == "confirmed" and place.ending is not None):
            return False
        place.state = wanted
        if wanted == "no_show":
            rule = None if place.leaves_free else place.order.offer.no_show_fee
            self.ask_fee(place, "no_show", rule, now)
        else:
            self.drop_fees([place], "no_show")
        return True

    def ask_fee(self, place: Place, kind: str, rule: FeeRule | None, now: datetime) -> None:
        """No more than the place's own share, unless a credit paid it."""
        known = self.fee_of(place)
        amount = 0 if rule is None else self._fee(rule, place)
        if not amount or (known is not None and known.state != "dropped"):
            return
        if known is not None:
            self.fees.remove(known)
        self.fees.append(Fee(place, kind, amount, now + TIME_TO_FORGIVE))

    def _fee(self, rule: FeeRule, place: Place) -> int:
        if rule.percent:
            return min(half_up(place.share * rule.percent, 100), place.share)
        return rule.amount if place.lot is not None else min(rule.amount, place.share)

    def drop_fees(self, places: list[Place], kind: str) -> None:
        for fee in self.fees:
            if fee.place in places and fee.kind == kind and fee.state == "asked":
                self._let_go(fee, "dropped")

    def _let_go(self, fee: Fee, state: str) -> None:
        """Who was asked before, or left late and read of it then, hears of it."""
        fee.state = state
        is_known = fee.is_told or fee.kind == "late_cancel"
        self.mails["billing.fee_forgiven", fee.place.order.guest] += is_known

    def may_forgive(self, fee: Fee) -> bool:
        return fee.state != "paid"

    def forgive(self, fee: Fee) -> None:
        if fee.state == "asked":
            self._let_go(fee, "forgiven")

    def tell_of_fees(self, now: datetime) -> None:
        for fee in self.fees:
            if fee.state == "asked" and not fee.is_told and fee.tells_at <= now:
                fee.is_told = True
                self.mails["billing.fee_asked", fee.place.order.guest] += 1

    def pays(self, fee: Fee) -> Sale | None:
        """The order that waits to be paid with already."""
        mine = (one for one in self.sales if one.fee is fee and one.state == "open")
        return next(mine, None)

    # --- handing on

    def may_hand_on(self, place: Place, now: datetime, *, by: str) -> bool:
        before = place.order.offer.hands_on_before
        in_time = before is not None and now <= place.run.starts_at - before
        return is_coming(place, now) and (by == "staff" or in_time)
