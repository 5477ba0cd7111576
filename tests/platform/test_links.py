"""Signed links open one thing, for some time, for the one tenant in them."""

from datetime import timedelta
from uuid import UUID

import pytest

from src.platform.links import (
    LinkExpired,
    LinkInvalid,
    LinkSigner,
    SignedLink,
    without_tokens,
)
from tests.support.clock import FrozenClock

TENANT = UUID("0190a5b4-7a0a-7000-8000-000000000001")
BOOKING = UUID("0190a5b4-7a0a-7000-8000-000000000002")
DAY = timedelta(days=1)

signer = LinkSigner(["secret one"])


def test_link_says_what_was_signed(clock: FrozenClock) -> None:
    token = signer.sign("booking", {"id": BOOKING, "n": 1}, clock.now(), tenant_id=TENANT)
    clock.advance(DAY)
    expected = SignedLink({"id": str(BOOKING), "n": 1}, TENANT, clock.now() - DAY)
    assert signer.read("booking", token, DAY, clock.now()) == expected


def test_link_without_a_tenant_has_none(clock: FrozenClock) -> None:
    token = signer.sign("confirm", {}, clock.now())
    assert signer.read("confirm", token, DAY, clock.now()).tenant_id is None


def test_link_expires_to_the_second(clock: FrozenClock) -> None:
    token = signer.sign("reset", {}, clock.now())
    clock.advance(DAY + timedelta(seconds=1))
    with pytest.raises(LinkExpired):
        signer.read("reset", token, DAY, clock.now())


def test_link_for_one_purpose_opens_no_other(clock: FrozenClock) -> None:
    token = signer.sign("booking", {"id": 1}, clock.now())
    with pytest.raises(LinkInvalid):
        signer.read("reset", token, DAY, clock.now())


def test_link_from_the_future_is_not_ours(clock: FrozenClock) -> None:
    token = signer.sign("reset", {}, clock.now() + timedelta(hours=1))
    with pytest.raises(LinkInvalid):
        signer.read("reset", token, DAY, clock.now())


@pytest.mark.parametrize("position", [0, 5, -1])
def test_link_with_any_character_changed_is_invalid(clock: FrozenClock, position: int) -> None:
    token = list(signer.sign("booking", {"id": str(BOOKING)}, clock.now()))
    token[position] = "A" if token[position] != "A" else "Q"
    with pytest.raises(LinkInvalid):
        signer.read("booking", "".join(token), DAY, clock.now())


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "\u20ac", "x" * 5_000, "." * 50, "eA.AA.AA"])
def test_text_that_is_no_link_is_invalid(clock: FrozenClock, token: str) -> None:
    with pytest.raises(LinkInvalid):
        signer.read("booking", token, DAY, clock.now())


def test_secrets_rotate_without_breaking_links_in_mails(clock: FrozenClock) -> None:
    token = signer.sign("booking", {}, clock.now())
    rotated = LinkSigner(["secret two", "secret one"])
    assert rotated.read("booking", token, DAY, clock.now()).payload == {}
    newer = rotated.sign("booking", {}, clock.now())
    with pytest.raises(LinkInvalid):
        signer.read("booking", newer, DAY, clock.now())
    with pytest.raises(LinkInvalid):
        LinkSigner(["secret two"]).read("booking", token, DAY, clock.now())


def test_link_is_fit_for_an_address(clock: FrozenClock) -> None:
    token = signer.sign("booking", {"name": "Zoë / ?&#"}, clock.now(), tenant_id=TENANT)
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@pytest.mark.parametrize("says", [{}, {"words": "again and " * 50}])
def test_text_keeps_a_link_without_what_opens_it(clock: FrozenClock, says: dict[str, str]) -> None:
    token = signer.sign("booking", says, clock.now(), tenant_id=TENANT)
    text = "See https://a.seatline.averylongnameofahouse/b/lotus/bookings/{}. It is 10.30."
    assert without_tokens(text.format(token)) == text.format("…")


def test_signer_needs_a_secret() -> None:
    with pytest.raises(ValueError, match="secret"):
        LinkSigner([])
