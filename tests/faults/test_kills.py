"""Processes that die in the middle: afterwards the end state is right, and each mail went once."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from src.booking.commands.sessions import UpdateSession, update_session
from src.booking.models import Session
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.program import Program, eventually, running_program
from tests.support.visitor import forms_of

pytestmark = [pytest.mark.faults, pytest.mark.slow]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with running_program(tmp_path) as program:
        yield program


def filled(program: Program, customers: int, party: int) -> dict[str, Any]:
    """A session with so many free bookings, written by the booking command itself."""

    async def fill(services: Services) -> dict[str, Any]:
        from src.booking.commands.book import book
        from src.wiring import wire

        wire()
        business = await a_business(services.uow_factory)
        service = await a_service(services.uow_factory, business.id, price_type="free")
        session = await a_session(services.uow_factory, service, capacity=max(customers * party, 1))
        for number in range(customers):
            wish = a_wish(
                "session",
                session.id,
                guest_email=f"g{number}@example.com",
                party=("",) * party,
            )
            async with services.uow_factory(business.id) as uow:
                await book(uow, as_guest(business), wish)
        return {"business": business, "session": session}

    found: dict[str, Any] = program.run(fill)
    return found


def cancel(program: Program, business: Business, session_id: Any) -> None:
    async def ask(services: Services) -> None:
        from src.booking.commands.cancel import cancel_session

        async with services.uow_factory(business.id) as uow:
            await cancel_session(uow, business.ctx, session_id, reason="Flood", undo_seconds=0)

    program.run(ask)


LAST_GUEST = "SELECT id FROM orders ORDER BY customer_id DESC LIMIT 1 FOR NO KEY UPDATE"
"""Held, it keeps a cancellation in the middle: guests are gone through in this order."""


def move(program: Program, business: Business, session: Session) -> None:
    async def ask(services: Services) -> None:
        cmd = UpdateSession(
            session_id=session.id,
            starts_at=session.starts_at + timedelta(hours=1),
            ends_at=session.ends_at + timedelta(hours=1),
            capacity=session.capacity,
            move_guests=True,
        )
        async with services.uow_factory(business.id) as uow:
            await update_session(uow, business.ctx, cmd)

    program.run(ask)


def outbox_is_empty(program: Program) -> bool:
    return bool(program.rows("SELECT count(*) = 0 AS empty FROM outbox")[0]["empty"])


def test_a_worker_killed_in_the_middle_of_two_thousand_seats(program: Program) -> None:
    made = filled(program, customers=500, party=4)
    eventually(lambda: outbox_is_empty(program), "the confirmations", 240)
    freed = "SELECT seats_freed AS n FROM cancellations"
    with program.holding(LAST_GUEST):
        cancel(program, made["business"], made["session"].id)
        eventually(lambda: 0 < program.rows(freed)[0]["n"] < 2000, "the middle of it")
        program.kill("worker")
    program.start("worker")
    eventually(
        lambda: program.rows("SELECT state FROM sessions")[0]["state"] == "cancelled",
        "the end of the cancellation",
        180,
    )
    eventually(lambda: outbox_is_empty(program), "the mails", 300)
    assert program.rows("SELECT seats_taken FROM sessions")[0]["seats_taken"] == 0
    assert {row["state"] for row in program.rows("SELECT state FROM seats")} == {"cancelled"}
    told = Counter(
        mail["recipients"] for mail in program.mails() if mail["subject"].startswith("Cancelled")
    )
    assert len(told) == 500
    doubles = [address for address, times in told.items() if times > 1]
    ids = Counter(mail["message_id"] for mail in program.mails())
    assert sum(times - 1 for times in ids.values()) == len(doubles), "a double has the same id"
    assert len(doubles) <= 20, "at most what was between the server's yes and our mark"


def test_a_worker_killed_in_the_middle_of_chosen_places(program: Program) -> None:
    """Each is freed once and told of once, and nobody else's place is touched."""
    made = filled(program, customers=301, party=1)
    eventually(lambda: outbox_is_empty(program), "the confirmations", 240)
    business, session = made["business"], made["session"]
    rows = program.rows(
        "SELECT seats.id FROM seats JOIN bookings b ON b.id = booking_id ORDER BY b.customer_id"
    )
    chosen = [row["id"] for row in rows[1:]]

    async def ask(services: Services) -> None:
        from src.booking.commands.cancel_seats import cancel_seats

        async with services.uow_factory(business.id) as uow:
            await cancel_seats(
                uow, business.ctx, session.id, chosen, reason="Flood", undo_seconds=0
            )

    freed = "SELECT seats_freed AS n FROM cancellations"
    with program.holding(LAST_GUEST):
        program.run(ask)
        eventually(lambda: 0 < program.rows(freed)[0]["n"] < 300, "the middle of it")
        program.kill("worker")
    program.start("worker")
    eventually(
        lambda: program.rows("SELECT state FROM cancellations")[0]["state"] == "done",
        "the end of the cancellation",
        180,
    )
    eventually(lambda: outbox_is_empty(program), "the mails", 300)
    assert program.rows(freed)[0]["n"] == 300
    [there] = program.rows("SELECT state, seats_taken FROM sessions")
    assert (there["state"], there["seats_taken"]) == ("scheduled", 1)
    [standing] = program.rows("SELECT id, cancellation_id FROM seats WHERE state = 'confirmed'")
    assert (standing["id"], standing["cancellation_id"]) == (rows[0]["id"], None)
    cancelled = [mail for mail in program.mails() if mail["subject"].startswith("Cancelled")]
    assert len({mail["message_id"] for mail in cancelled}) == 300
    assert len(cancelled) <= 320, "at most what was between the server's yes and our mark"


def test_a_worker_killed_while_guests_are_told_of_a_move(program: Program) -> None:
    made = filled(program, customers=80, party=2)
    eventually(lambda: outbox_is_empty(program), "the confirmations", 120)
    move(program, made["business"], made["session"])
    told = "SELECT count(*) AS n FROM mails WHERE kind = 'sessions_changed'"
    eventually(lambda: program.rows(told)[0]["n"] > 0, "the middle of it")
    program.kill("worker")
    program.start("worker")
    eventually(lambda: outbox_is_empty(program), "the mails", 180)
    assert program.rows(told)[0]["n"] == 80
    assert {row["told_sequence"] for row in program.rows("SELECT told_sequence FROM seats")} == {1}
    mails = [mail for mail in program.mails() if mail["subject"].startswith("Changed")]
    assert len({mail["message_id"] for mail in mails}) == 80
    assert len(mails) <= 100, "at most what was between the server's yes and our mark"


def test_a_web_process_killed_between_commit_and_redirect(program: Program) -> None:
    made = filled(program, customers=0, party=1)
    business: Business = made["business"]

    async def priced(services: Services) -> Any:
        from src.billing.commands.connect import connect_account, refresh_account

        service = await a_service(
            services.uow_factory, business.id, slug="paid", name="Paid", price_minor=1500
        )
        back = f"{program.base_url}/app/{business.slug}/payments"
        link = await connect_account(services, business.ctx, refresh_url=back, return_url=back)
        async with httpx.AsyncClient() as browser:
            await browser.post(link, data={"decision": "finish"})
        await refresh_account(services, business.id)
        return await a_session(services.uow_factory, service, capacity=1)

    session = program.run(priced)
    again = book_through_a_kill(program, f"/b/{business.slug}/paid/book?session={session.id}")
    assert len(program.rows("SELECT 1 FROM orders")) == 1
    assert [row["state"] for row in program.rows("SELECT state FROM seats")] == ["held"]
    page_id = again.headers["location"].rsplit("/", 1)[-1]
    assert program.stripe_knob("pay", session=page_id, card="4242424242424242")["outcome"] == "paid"
    eventually(
        lambda: program.rows("SELECT state FROM orders")[0]["state"] == "confirmed", "confirmation"
    )
    eventually(lambda: outbox_is_empty(program), "the mail")
    subjects = [mail["subject"] for mail in program.mails(to="carl@example.com")]
    assert subjects == ["You are booked: Paid"]
    payments = program.rows("SELECT amount_minor, is_extra FROM payments")
    assert [tuple(row) for row in payments] == [(1500, False)]


def book_through_a_kill(program: Program, path: str) -> httpx.Response:
    """Sends the form, kills web between its commit and its answer, and sends the form again."""
    with httpx.Client(base_url=program.base_url, timeout=20) as browser:
        shown = browser.get(path)
        assert shown.status_code == 200, shown.text
        [form] = [form for form in forms_of(shown) if "form_token" in form.fields]
        target = str(shown.url.join(form.action or path))
        typed = form.filled({"name": "Carl", "email": "carl@example.com", "phone": ""})
        program.stripe_knob(
            "api_faults", kind="delay", times=1, seconds=10, path_contains="checkout/sessions"
        )
        # The processor keeps web waiting, with the hold committed and no answer given.
        with pytest.raises(httpx.TimeoutException):
            browser.post(target, data=typed, timeout=3)
        assert program.rows("SELECT state FROM orders")[0]["state"] == "open"
        program.kill("web")
        program.stripe_knob("reset_faults")
        program.start("web")

        def sent_again() -> httpx.Response | None:
            """While the first call is still at the processor, the guest is asked to try again."""
            answer = browser.post(target, data=typed)
            assert answer.status_code in (303, 503), answer.text
            return answer if answer.status_code == 303 else None

        again: httpx.Response = eventually(sent_again, "the same hold's payment page")
    return again


# Most of it is the wait for the second attempt.
def test_a_mail_server_that_says_yes_and_dies_gets_the_same_message_again(
    program: Program,
) -> None:
    """The one double that is allowed: under the same Message-ID, so that readers see one."""
    program.mailbox_fault(mode="accept_then_drop", times=1)
    filled(program, customers=1, party=1)
    eventually(lambda: outbox_is_empty(program), "the mail")
    mails = program.mails(to="g0@example.com")
    assert 1 <= len(mails) <= 2
    assert len({mail["message_id"] for mail in mails}) == 1
    assert len(program.rows("SELECT 1 FROM mails")) == 1


def test_a_queue_that_forgets_everything_loses_nothing(program: Program) -> None:
    from redis import Redis

    from tests.support.servers import test_servers

    program.kill("worker")
    filled(program, customers=3, party=1)
    eventually(
        lambda: all(r["attempts"] for r in program.rows("SELECT attempts FROM outbox")), "hand-on"
    )
    queue = Redis.from_url(test_servers().program_valkey_url)
    queue.flushdb()
    queue.close()
    program.start("worker")
    eventually(lambda: outbox_is_empty(program), "the mails after the lease", 90)
    assert len(program.mails()) == 3
