"""The model's rules for a business that calls off a session, a series, a purchase or a seat."""

from dataclasses import replace
from datetime import datetime

from tests.properties.credits_model import sums_of
from tests.properties.fees_model import Fees
from tests.properties.sums import half_up
from tests.properties.things import (
    OWNER,
    TAKEN,
    UNDO,
    Ending,
    Offer,
    Place,
    Run,
    Sale,
    Subject,
    is_coming,
    reached,
)


class Calling(Fees):
    """Cancelling, with what goes back, and taking it back in time."""

    def may_cancel(self, subject: Subject, now: datetime) -> bool:
        if isinstance(subject, Run):
            is_on = subject.state == "scheduled" and subject.ends_at > now
            return is_on and not self._is_any_going(subject)
        if isinstance(subject, Place):
            return is_coming(subject, now) and subject.run.starts_at > now
        if any(one.subject is subject and one.state == "waiting" for one in self.endings):
            return False
        if isinstance(subject, Offer):
            dates = self.stoppable(subject, now)
            return bool(dates) and not any(self._is_any_going(run) for run in dates)
        coming = [one for one in subject.places if one.run.starts_at > now]
        coming = [one for one in coming if one.state in ("held", "confirmed")]
        return bool(coming) and not any(_is_going(one) for one in coming)

    def _is_any_going(self, run: Run) -> bool:
        return any(_is_going(place) for place in self.places(run))

    def stoppable(self, subject: Subject, now: datetime) -> list[Run]:
        """The dates that cancelling it stops; those of a purchase or a seat go on."""
        if isinstance(subject, Run):
            return [subject]
        dates = subject.runs if isinstance(subject, Offer) else []
        return [run for run in dates if run.state == "scheduled" and run.starts_at > now]

    def returnable(self, ending: Ending, now: datetime) -> dict[Sale, tuple[int, int]]:
        """What could go back for what would be cancelled now: all of it, and by the guests' terms.

        Never more than is left of what was paid, and promised by nothing that waits. By their terms
        guests keep their credits, so what lies in those goes back to nobody.
        """
        found = {}
        waiting = [one for one in self.endings if one.state == "waiting"]
        for sale in self.sales:
            taken = [one for one in reached(ending, sale, now) if one.state in TAKEN]
            if sale.is_late or not taken:
                continue
            more = sum(self._revoked_with(ending, sale, now))
            gone = _promised(waiting, sale) + sale.promised + self.in_credits(sale)
            share = sum(one.share for one in taken)
            full = min(share + more, max(sale.left - gone + more, 0))
            seats = min(share, max(sale.left - gone, 0))
            terms = sum(half_up(one.share * self.percent_back(one, now), 100) for one in taken)
            if full > 0:
                found[sale] = (full, min(terms, seats))
        return found

    def takes_credits(self, ending: Ending, now: datetime) -> bool:
        """Whether so much was chosen that it is for the credits of the purchase too."""
        if not ending.revokes or not isinstance(ending.subject, Sale):
            return False
        seats = self.returnable(replace(ending, revokes=False), now)
        most, _by_terms = seats.get(ending.subject, (0, 0))
        return ending.chosen.get(ending.subject, 0) > most

    def is_for_whole_credits(self, ending: Ending, now: datetime) -> bool:
        """Whether what was chosen for the purchase is for its seats and some whole credits, or all
        that can go back.
        """
        assert isinstance(ending.subject, Sale)
        minor = ending.chosen[ending.subject]
        full, _by_terms = self.returnable(ending, now)[ending.subject]
        seats = self.returnable(replace(ending, revokes=False), now)
        most, _by_terms = seats.get(ending.subject, (0, 0))
        worths = self._revoked_with(ending, ending.subject, now)
        is_all_there = full >= most + sum(worths)
        return minor == full or (is_all_there and minor - most in sums_of(worths))

    def _revoked_with(self, ending: Ending, sale: Sale, now: datetime) -> list[int]:
        """What is in each of the credits that are taken back with it."""
        if not ending.revokes or ending.subject is not sale:
            return []
        return [lot.paid - lot.returned for lot in self.revocable(sale, now)]

    def credited(self, ending: Ending, sale: Sale, now: datetime, *, by_terms: bool) -> list[Place]:
        """The seats that bring a credit: all that cost money, or those whose terms say so."""
        taken = [one for one in reached(ending, sale, now) if one.state in TAKEN]
        return [
            one for one in taken if one.share and (not by_terms or self.brings_credit(one, now))
        ]

    def cancel(self, ending: Ending) -> None:
        self.endings.append(ending)
        if isinstance(ending.subject, Sale):
            ending.held = self.revocable(ending.subject, ending.asked_at)
        for place in self._marked_by(ending):
            place.ending = ending
        for run in ending.runs:
            run.state = "cancelling"
        if isinstance(ending.subject, Offer):
            ending.resumes, ending.subject.active = ending.subject.active, False

    def _marked_by(self, ending: Ending) -> list[Place]:
        """The seats with which nothing else is done while it is under way."""
        if isinstance(ending.subject, Place):
            return [ending.subject]
        places = ending.subject.places if isinstance(ending.subject, Sale) else []
        free = [one for one in places if one.state == "confirmed" and one.ending is None]
        return [one for one in free if one.run.starts_at > ending.asked_at]

    def _release(self, ending: Ending) -> None:
        for place in self.places():
            if place.ending is ending:
                place.ending = None

    def undo(self, ending: Ending, now: datetime) -> bool:
        if ending.state != "waiting":
            return False
        ending.state = "undone"
        self._release(ending)
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
            freed = [place for place in reached(ending, sale, now) if place.state in TAKEN]
            for place in freed:
                place.state = "cancelled"
                if not self.replace_lapsed(place, now):
                    self.give_credit_back(place, now)
            if freed and (ending.gives_back or self._paid_after(ending, sale)):
                shares = {place: place.share for place in freed}
                asked = self._give_back(sale, shares, "not delivered")
                sale.promised += self._by_hand(sale, sum(shares.values()) - asked)
            elif freed:
                self._give_back_chosen(ending, sale, freed)
            credited = [one for one in ending.credited.get(sale, ()) if one in freed]
            unreturned = [one for one in credited if not one.returned]
            self.give_credits(sale, sorted(unreturned, key=lambda one: one.id), now)
            told |= {sale.guest} if freed else set()
        self.mails.update(("seats_cancelled", guest) for guest in told)
        self._close_holds(ending, now)
        if ending.revokes and isinstance(ending.subject, Sale):
            self._take_credits_back(ending, ending.subject, now)
        ending.state = "done"
        # Nobody had called it off themselves, so who runs the business is told.
        self.mails["called_off", OWNER] += ending.gives_back
        self._release(ending)
        for run in ending.runs:
            run.state = "cancelled"
            run.sequence += 1
            for kind in ("late_cancel", "no_show"):
                self.drop_fees(self.places(run), kind)

    def _close_holds(self, ending: Ending, now: datetime) -> None:
        for sale in self.sales:
            if sale.state == "open" and (
                ending.subject is sale or any(one.run in ending.runs for one in sale.places)
            ):
                self._close(sale, now, "cancelled", reached(ending, sale, now))
                # A deadline was promised in a mail, and its end is told in one.
                was_promised = sale.by_link or sale.mode == "transfer"
                is_lost = was_promised and sale.state == "cancelled"
                self.mails["held_cancelled", sale.guest] += is_lost

    def _give_back_chosen(self, ending: Ending, sale: Sale, freed: list[Place]) -> None:
        """No more than these seats' shares, those that bring no credit first; what was paid on site
        is the business's to hand back.
        """
        credited = ending.credited.get(sale, [])
        chosen = ending.chosen.get(sale, 0)
        wanted = min(chosen, sum(place.share for place in freed))
        asked = left = self.ask(sale, wanted, "cancelled")
        by_hand = self._by_hand(sale, wanted - asked)
        sale.promised += by_hand
        if chosen:
            ending.chosen[sale] = chosen - asked - by_hand
        for place in sorted(freed, key=lambda one: (one in credited, one.run.id, one.id)):
            place.returned = min(place.share, left)
            left -= place.returned

    def _paid_after(self, ending: Ending, sale: Sale) -> bool:
        """Whether nobody could choose about the money."""
        paid_at = None if sale.by_gift else sale.paid_at
        return any(at is not None and at > ending.asked_at for at in (sale.confirmed_at, paid_at))

    def _take_credits_back(self, ending: Ending, sale: Sale, now: datetime) -> None:
        """What of the choice no seat has brought goes back for them."""
        held = [lot for lot in self.revocable(sale, now) if lot in ending.held]
        worth = sum(lot.paid - lot.returned for lot in held)
        there = sale.left - sale.promised - self.in_credits(sale) + worth
        wanted = self.revoke(held, ending.chosen.get(sale, 0), there)
        asked = self.ask(sale, wanted, "cancelled")
        sale.promised += self._by_hand(sale, wanted - asked)

    def _by_hand(self, sale: Sale, wanted: int) -> int:
        """What the business is asked to hand back of what it took itself."""
        return min(wanted, sale.taken_by_hand)


def _promised(endings: list[Ending], sale: Sale) -> int:
    return sum(one.chosen.get(sale, 0) for one in endings)


def _is_going(place: Place) -> bool:
    """What goes back for a place is chosen once: it is in one cancellation at a time."""
    is_stopped = place.run.state != "scheduled"
    return place.state == "confirmed" and (place.ending is not None or is_stopped)
