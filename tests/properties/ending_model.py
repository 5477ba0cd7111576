"""The model's rules for a business that calls off a session, a series or a purchase."""

from datetime import datetime

from tests.properties.changing_model import Changing
from tests.properties.things import LIVE, UNDO, Ending, Offer, Place, Run, Sale, half_up, reached


class Calling(Changing):
    """Cancelling, with what goes back, and taking it back in time."""

    def may_cancel(self, subject: Run | Sale | Offer, now: datetime) -> bool:
        if isinstance(subject, Run):
            return subject.state == "scheduled" and subject.ends_at > now
        if any(one.subject is subject and one.state == "waiting" for one in self.endings):
            return False
        if isinstance(subject, Offer):
            return bool(self.stoppable(subject, now))
        return any(one.state in LIVE and one.run.starts_at > now for one in subject.places)

    def stoppable(self, subject: Run | Sale | Offer, now: datetime) -> list[Run]:
        """The dates that cancelling it stops; a purchase's go on."""
        if isinstance(subject, Run):
            return [subject]
        dates = subject.runs if isinstance(subject, Offer) else []
        return [run for run in dates if run.state == "scheduled" and run.starts_at > now]

    def returnable(self, ending: Ending, now: datetime) -> dict[Sale, tuple[int, int]]:
        """What could go back for what would be cancelled now: all of it, and by the guests' terms.

        Never more than is left of what was paid.
        """
        found = {}
        for sale in self.sales:
            taken = [one for one in reached(ending, sale, now) if one.state == "confirmed"]
            full = min(sum(one.share for one in taken), sale.paid - sale.refunded)
            terms = sum(half_up(one.share * self.percent_back(one, now), 100) for one in taken)
            if full > 0:
                found[sale] = (full, min(terms, full))
        return found

    def cancel(self, ending: Ending) -> None:
        self.endings.append(ending)
        for run in ending.runs:
            run.state = "cancelling"
        if isinstance(ending.subject, Offer):
            ending.resumes, ending.subject.active = ending.subject.active, False

    def undo(self, ending: Ending, now: datetime) -> bool:
        if ending.state != "waiting":
            return False
        ending.state = "undone"
        for promise in self.promises:
            if promise.state == "live" and set(promise.runs) & set(ending.runs):
                promise.expires_at += now - ending.asked_at
        for run in ending.runs:
            run.state = "scheduled"
            self._news(run)
        if isinstance(ending.subject, Offer):
            ending.subject.active = ending.subject.active or ending.resumes
        return True

    def carry_out(self, now: datetime) -> None:
        """Every cancellation whose undo window is over, the oldest first."""
        for ending in self.endings:
            if ending.state == "waiting" and ending.asked_at + UNDO <= now:
                self._carry_out(ending, now)

    def reaches_taken_money(self, now: datetime) -> bool:
        """Whether carrying out what is due meets money that we have not been told of."""
        due = [one for one in self.endings if one.state == "waiting" and one.asked_at + UNDO <= now]
        taken = [sale for sale in self.sales if sale.taken and sale.state == "open"]
        return any(reached(ending, sale, now) for ending in due for sale in taken)

    def _carry_out(self, ending: Ending, now: datetime) -> None:
        told = set()
        for sale in self.sales:
            freed = [place for place in reached(ending, sale, now) if place.state == "confirmed"]
            for place in freed:
                place.state = "cancelled"
            paid_after = sale.confirmed_at is not None and sale.confirmed_at > ending.asked_at
            if freed and (ending.gives_back or paid_after):
                self._give_back(sale, {place: place.share for place in freed})
            elif freed:
                self._give_back_chosen(ending, sale, freed)
            told |= {sale.guest} if freed else set()
        self.mails.update(("seats_cancelled", guest) for guest in told)
        for sale in self.sales:
            if sale.state == "open" and (
                ending.subject is sale or any(one.run in ending.runs for one in sale.places)
            ):
                self._close(sale, now, "cancelled", reached(ending, sale, now))
        ending.state = "done"
        for run in ending.runs:
            run.state = "cancelled"
            run.sequence += 1

    def _give_back_chosen(self, ending: Ending, sale: Sale, freed: list[Place]) -> None:
        """No more than these seats' shares, the first seats first; what was paid on site is the
        business's to hand back.
        """
        left = min(ending.chosen.get(sale, 0), sum(place.share for place in freed), sale.by_card)
        sale.refunded += left
        for place in sorted(freed, key=lambda one: (one.run.id, one.id)):
            place.returned = min(place.share, left)
            left -= place.returned
