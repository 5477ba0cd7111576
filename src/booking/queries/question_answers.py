"""What guests answered to a service's questions when they booked."""

from collections.abc import Mapping
from uuid import UUID

from src.booking.domain.questions import answered
from src.booking.models import Booking


def answers_of_person(booking: Booking, participant_id: UUID) -> list[tuple[str, str]]:
    """What was answered for the booking, and then for this one of its people."""
    own = booking.person_answers.get(str(participant_id), [])
    return answered([*booking.answers, *own])


def answers_of_booking(booking: Booking, names: Mapping[UUID, str]) -> list[tuple[str, str]]:
    """What was answered for the booking, then what each of its people said, by what they are called
    to whoever reads it; `names` are by participant.
    """
    found = answered(booking.answers)
    for participant_id, given in booking.person_answers.items():
        name = names.get(UUID(participant_id), "")
        found += [
            (f"{name}: {label}" if name else label, words) for label, words in answered(given)
        ]
    return found
