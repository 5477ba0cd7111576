"""Addresses that mails can be sent to, and those that they cannot."""

import pytest

from src.platform.addresses import NotAnAddress, email_address


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        (" Carl@Example.COM ", "Carl@example.com"),
        ("a@exämple.de", "a@xn--exmple-cua.de"),
        ("carl+yoga@example.com", "carl+yoga@example.com"),
    ],
)
def test_an_address_is_as_servers_take_it(typed: str, taken: str) -> None:
    assert email_address(typed) == taken
    assert email_address(typed).isascii()


@pytest.mark.parametrize("typed", ["jörg@example.com", "carl", "carl@localhost", "a b@example.com"])
def test_what_no_mail_reaches_is_refused_in_words(typed: str) -> None:
    with pytest.raises(NotAnAddress) as refused:
        email_address(typed)
    assert refused.value.message.endswith((".", "?"))
