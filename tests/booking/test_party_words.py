"""Who comes, as the guest of the booking reads it."""

import pytest

from src.booking.said import Person, party_words


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ([Person(1, "", "")], []),
        ([Person(1, "Carl", "")], []),
        ([Person(1, "Kim", "")], ["Kim"]),
        ([Person(1, "Carl", "student")], ["Carl (student)"]),
        ([Person(1, "", ""), Person(2, "", "")], []),
        ([Person(1, "Carl", ""), Person(2, "", "")], ["Carl", "Person 2"]),
    ],
)
def test_one_is_named_who_is_not_the_guest(people: list[Person], words: list[str]) -> None:
    assert party_words(people, "Carl") == words
