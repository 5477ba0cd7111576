"""The model's rules for money that comes by bank transfer, and is matched by hand."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from tests.properties.changing_model import Changing
from tests.properties.credits_model import ZONE
from tests.properties.noted import Transfer
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
        return sale.to_pay - sale.transfers.received

    def receive(self, sale: Sale, amount: int, token: UUID, now: datetime) -> str | None:
        """What comes of it, None when it must be refused."""
        if sale.mode != "transfer" or (sale.state == "open" and self.is_called_off(sale)):
            return None
        sale.paid += amount
        if sale.state in ("confirmed", "cancelled"):
            self._beside(sale, token, amount)
            return "paid_already" if sale.state == "confirmed" else "to_hand_back"
        missing = self.missing(sale)
        noted = Transfer(token, min(amount, missing))
        sale.transfers.append(noted)
        if amount < missing:
            noted.is_due = sale.state == "open"
            self.mails["billing.open_item", OWNER] += not noted.is_due
            self.mails["billing.transfer_part", sale.guest] += noted.is_due
            return "partial" if noted.is_due else "to_hand_back"
        if amount > missing:
            self._beside(sale, token, amount - missing)
        if sale.state == "open":
            self._confirm(sale, now, set())
        elif not self._stands_again(sale, now):
            for one in sale.transfers:
                one.is_extra = True
            self.mails["billing.open_item", OWNER] += 1
            return "to_hand_back"
        return "too_much" if amount > missing else "confirmed"

    def _beside(self, sale: Sale, token: UUID, amount: int) -> None:
        """Nothing waits for it: its owner is asked to give it back."""
        sale.transfers.append(Transfer(token, amount, is_extra=True, beside=True))
        self.mails["billing.open_item", OWNER] += 1

    def to_hand_back(self, sale: Sale) -> int:
        """What came beside the price; all of it where the order does not stand."""
        stands = sale.state in ("open", "confirmed")
        return sale.transfers.extra + (0 if stands else sale.transfers.received)

    def hand_back(self, sale: Sale) -> int:
        """Returns how much it was."""
        amount = self.to_hand_back(sale)
        sale.refunded += amount
        for one in sale.transfers:
            if one.is_extra or sale.state not in ("open", "confirmed"):
                one.went_back = one.amount
        return amount

    # --- it never came

    def may_take_off(self, sale: Sale, transfer: Transfer) -> bool:
        """Of what has gone back, or was paid for what stands, it is certain that it came."""
        is_price = sale.state == "confirmed" and not transfer.is_extra
        return not is_price and not transfer.went_back

    def take_off(self, sale: Sale, transfer: Transfer) -> None:
        """As if it had not been noted: who has not heard of it yet never does. The log keeps it."""
        sale.transfers.remove(transfer)
        sale.paid -= transfer.amount
        self.taken_off.append((sale, transfer))
        self.mails["billing.transfer_part", sale.guest] -= transfer.is_due
        self.mails["billing.open_item", OWNER] += bool(self.to_hand_back(sale))

    def tell_of_parts(self) -> None:
        for sale in self.sales:
            for one in sale.transfers:
                one.is_due = False

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
