"""The model's rules for money that comes by bank transfer, and is matched by hand."""

from datetime import date, datetime, time, timedelta

from tests.properties.changing_model import Changing
from tests.properties.credits_model import ZONE
from tests.properties.things import OWNER, Run, Sale

DAYS, LEAD_DAYS, LEAST_DAYS, MOST_DAYS = 3, 1, 2, 60


class Transfers(Changing):
    """Orders that wait for days, and for parts of their price."""

    def transferred_until(self, runs: list[Run], now: datetime) -> datetime | None:
        """None where the money would not be there before the first of the dates."""
        today = _on(now)
        last = min(_on(run.starts_at) for run in runs) - timedelta(days=LEAD_DAYS)
        due_on = min(today + timedelta(days=DAYS), last)
        return end_of(due_on) if due_on >= today + timedelta(days=LEAST_DAYS) else None

    def missing(self, sale: Sale) -> int:
        return sale.to_pay - sale.received

    def receive(self, sale: Sale, amount: int, now: datetime) -> str | None:
        """What comes of it, None when it must be refused. Once for each its guest reads of what
        goes back.
        """
        came_of_it = self._receive(sale, amount, now)
        goes_back = came_of_it in ("too_much", "to_hand_back", "paid_already")
        self.mails["billing.transfer_not_due", sale.guest] += goes_back
        return came_of_it

    def _receive(self, sale: Sale, amount: int, now: datetime) -> str | None:
        if sale.mode != "transfer" or (sale.state == "open" and self.is_called_off(sale)):
            return None
        sale.paid += amount
        if sale.state in ("confirmed", "cancelled"):
            self._hand_back(sale, amount)
            return "paid_already" if sale.state == "confirmed" else "to_hand_back"
        missing = self.missing(sale)
        if amount < missing:
            sale.received += amount
            self.mails["billing.open_item", OWNER] += sale.state == "expired"
            self.mails["billing.transfer_part", sale.guest] += sale.state == "open"
            return "partial" if sale.state == "open" else "to_hand_back"
        sale.received = sale.to_pay
        if amount > missing:
            self._hand_back(sale, amount - missing)
        if sale.state == "open":
            self._confirm(sale, now, set())
        elif not self._stands_again(sale, now):
            received, sale.received = sale.received, 0
            return self._hand_back(sale, received)
        return "too_much" if amount > missing else "confirmed"

    def _hand_back(self, sale: Sale, amount: int) -> str:
        """Nothing waits for it: its owner is asked to give it back."""
        sale.extra += amount
        self.mails["billing.open_item", OWNER] += 1
        return "to_hand_back"

    def may_prolong(self, sale: Sale, due_on: date, now: datetime) -> bool:
        first = min(_on(place.run.starts_at) for place in sale.places)
        in_time = _on(now) <= due_on <= _on(now) + timedelta(days=MOST_DAYS)
        is_waited_for = sale.mode == "transfer" and sale.state == "open"
        return is_waited_for and in_time and due_on < first

    def prolong(self, sale: Sale, due_on: date) -> None:
        sale.hold_until = end_of(due_on)
        self.mails["billing.transfer_awaited", sale.guest] += 1
        self.mails["billing.transfer_reminder", sale.guest] += 1


def _on(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()


def end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), ZONE)
