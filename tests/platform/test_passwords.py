"""Passwords are hashed slowly, compared evenly, and refused when strangers try them first."""

import asyncio
import time

import pytest
from argon2 import PasswordHasher

from src.platform.passwords import hash_password, needs_rehash, verify_password, weakness_of

GOOD = "walnut-harbour-7"


@pytest.mark.anyio
async def test_password_fits_its_own_hash_only() -> None:
    stored = await hash_password(GOOD)
    assert stored.startswith("$argon2id$")
    assert await verify_password(stored, GOOD)
    assert not await verify_password(stored, GOOD + " ")
    assert await hash_password(GOOD) != stored


@pytest.mark.anyio
async def test_password_fits_however_its_letters_were_composed() -> None:
    stored = await hash_password("cafe\u0301-harbour")
    assert await verify_password(stored, "caf\u00e9-harbour")


@pytest.mark.anyio
async def test_unknown_account_and_broken_hash_never_fit() -> None:
    assert not await verify_password(None, GOOD)
    assert not await verify_password("not a hash", GOOD)


@pytest.mark.anyio
async def test_unknown_account_takes_as_long_as_a_known_one() -> None:
    stored = await hash_password(GOOD)

    async def shortest(stored_hash: str | None) -> float:
        times = []
        for _try in range(5):
            started_at = time.perf_counter()
            await verify_password(stored_hash, "wrong password")
            times.append(time.perf_counter() - started_at)
        return min(times)

    known, unknown = await shortest(stored), await shortest(None)
    assert unknown > known / 3


@pytest.mark.anyio
async def test_event_loop_goes_on_while_passwords_are_hashed() -> None:
    hashing = asyncio.gather(*(hash_password(GOOD) for _number in range(4)))
    turns = 0
    while not hashing.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 20


@pytest.mark.anyio
async def test_hash_from_weaker_settings_is_to_be_replaced() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    assert needs_rehash(weak)
    assert needs_rehash("not a hash")
    assert not needs_rehash(await hash_password(GOOD))


@pytest.mark.parametrize(
    "password", [GOOD, "Tr0ub4dor&3xyz", "correct horse battery", "ü" * 5 + "abcdef"]
)
def test_password_that_is_hard_to_guess_may_be_chosen(password: str) -> None:
    assert weakness_of(password, ["olive@studio.example", "Olive Green"]) is None


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("short", "10 characters"),
        ("x" * 201, "200 characters"),
        ("Password123", "first"),
        ("P@ssw0rd2026!!", "first"),
        ("qwertyuiop", "first"),
        ("ababababab", "easy"),
        ("klmnopqrst", "easy"),
        ("olive@studio.example", "name or address"),
        ("olivegreen1", "name or address"),
    ],
)
def test_password_that_is_tried_first_is_refused_with_a_reason(password: str, word: str) -> None:
    reason = weakness_of(password, ["olive@studio.example", "OliveGreen"])
    assert reason is not None
    assert word in reason
