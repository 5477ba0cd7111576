"""The mailbox over its real ports: mail goes in by SMTP and is seen by HTTP."""

import base64
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiosmtplib
import httpx
import pytest

from src.sandbox.mailbox.serving import RunningMailbox, serve
from src.sandbox.processes import free_port, http_ready
from tests.sandbox.waiting import is_alive, until

pytestmark = pytest.mark.anyio

CHECKOUT = Path(__file__).resolve().parents[2]
CALENDAR = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//studio//EN\r
METHOD:REQUEST\r
BEGIN:VEVENT\r
UID:second@studio.example\r
DTSTAMP:20261101T100000Z\r
DTSTART;VALUE=DATE:20261224\r
DTEND;VALUE=DATE:20261227\r
SUMMARY:Closed\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:first@studio.example\r
DTSTAMP:20261101T100000Z\r
DTSTART;TZID=Europe/Warsaw:20261201T180000\r
DTEND;TZID=Europe/Warsaw:20261201T191500\r
SUMMARY:Vinyasa\r
STATUS:CANCELLED\r
SEQUENCE:2\r
END:VEVENT\r
END:VCALENDAR\r
"""


@dataclass
class Mailbox:
    """The running mailbox, as its two kinds of users have it."""

    running: RunningMailbox
    http: httpx.AsyncClient

    async def send(self, mail: EmailMessage, recipients: list[str] | None = None) -> None:
        port = urlsplit(self.running.smtp_url).port
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=port, recipients=recipients)

    async def messages(self, **filters: str) -> list[dict[str, Any]]:
        answer = await self.http.get("/api/messages", params=filters)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    async def page(self, path: str) -> str:
        return (await self.http.get(path)).raise_for_status().text

    async def fail(self, **fault: Any) -> httpx.Response:
        return await self.http.post("/_faults", json=fault)


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[Mailbox]:
    async with (
        serve(tmp_path / "mailbox") as running,
        httpx.AsyncClient(base_url=running.base_url, trust_env=False) as http,
    ):
        yield Mailbox(running, http)


def mail(
    subject: str = "Booked", to: str = "carl@example.com", text: str = "Hello"
) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Łódź Yoga <bookings@seatline.example>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<{quote(subject.casefold())}@seatline.example>"
    message.set_content(text)
    return message


def with_calendar(content: bytes = CALENDAR) -> EmailMessage:
    message = mail()
    message.add_attachment(content, maintype="text", subtype="calendar", filename="booking.ics")
    return message


async def test_an_empty_mailbox_says_so(mailbox: Mailbox) -> None:
    assert "No mail yet." in await mailbox.page("/")
    assert await mailbox.messages() == []


async def test_every_part_of_a_mail_is_in_the_json(mailbox: Mailbox) -> None:
    message = mail("Zażółć gęślą jaźń", text="Cześć")
    message.add_alternative("<p>Cześć</p>", subtype="html")
    message.add_attachment(b"\x00\xff", maintype="application", subtype="pdf", filename="é.pdf")
    await mailbox.send(message)
    (found,) = await mailbox.messages()
    assert found["subject"] == "Zażółć gęślą jaźń"
    assert found["sender"] == "Łódź Yoga <bookings@seatline.example>"
    assert found["envelope"]["recipients"] == ["carl@example.com"]
    assert found["message_id"] == message["Message-ID"]
    assert (found["text"].strip(), found["html"].strip()) == ("Cześć", "<p>Cześć</p>")
    (attachment,) = found["attachments"]
    assert (attachment["filename"], attachment["size"]) == ("é.pdf", 2)
    assert base64.b64decode(attachment["content"]) == b"\x00\xff"
    assert (await mailbox.http.get(f"/api/messages/{found['id']}")).json() == found


async def test_blind_copies_are_seen_by_the_envelope(mailbox: Mailbox) -> None:
    await mailbox.send(mail(), recipients=["carl@example.com", "hidden@example.com"])
    (found,) = await mailbox.messages(to="Hidden@example.com")
    assert found["recipients"] == "carl@example.com"


async def test_newest_come_first_and_are_filtered_by_recipient_and_words(mailbox: Mailbox) -> None:
    await mailbox.send(mail("First", text="Vinyasa on Tuesday"))
    await mailbox.send(mail("Second", to="olive@example.com", text="Pilates on Tuesday"))
    await mailbox.send(mail("Third", text="Vinyasa on Friday"))

    async def subjects(**filters: str) -> list[str]:
        return [found["subject"] for found in await mailbox.messages(**filters)]

    assert await subjects() == ["Third", "Second", "First"]
    assert await subjects(to="carl@example.com") == ["Third", "First"]
    assert await subjects(q="TUESDAY vinyasa") == ["First"]
    assert await subjects(q="<second@seatline.example>") == ["Second"]
    assert await subjects(limit="1") == ["Third"]
    page = await mailbox.page("/?to=olive%40example.com")
    assert "Second" in page
    assert "First" not in page
    assert "No mail fits." in await mailbox.page("/?q=karate")


async def test_long_lists_are_cut_into_pages(mailbox: Mailbox) -> None:
    for number in range(51):
        mailbox.running.store.add("a@x", ["b@x"], f"Subject: Mail {number}\r\n\r\n".encode())
    assert "Mail 50" in await mailbox.page("/?q=mail")
    assert "/?q=mail&amp;page=2" in await mailbox.page("/?q=mail")
    assert "Mail 0" in await mailbox.page("/?q=mail&page=99")


async def test_a_mail_that_came_twice_stands_out(mailbox: Mailbox) -> None:
    for _ in range(2):
        await mailbox.send(mail("Twice"))
    await mailbox.send(mail("Once"))
    page = await mailbox.page("/")
    assert page.count("Came 2 times") == 2
    assert page.count("&lt;twice@seatline.example&gt;") == 2
    assert [found["copies"] for found in await mailbox.messages()] == [1, 2, 2]


async def test_links_in_plain_text_can_be_clicked_and_nothing_else_is_html(
    mailbox: Mailbox,
) -> None:
    await mailbox.send(mail(text="See (http://x.example/b?a=1&b=2). <script>alert(1)</script>"))
    (found,) = await mailbox.messages()
    page = await mailbox.page(f"/messages/{found['id']}")
    assert '<a href="http://x.example/b?a=1&amp;b=2" target="_blank"' in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page


async def test_html_is_shown_in_a_frame_that_can_do_nothing(mailbox: Mailbox) -> None:
    message = mail()
    message.add_alternative('<img src="cid:logo"><script>x</script>', subtype="html")
    message.get_payload()[1].add_related(b"png", "image", "png", cid="<logo>")
    await mailbox.send(message)
    (found,) = await mailbox.messages()
    page = await mailbox.page(f"/messages/{found['id']}")
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    framed = await mailbox.http.get(f"/messages/{found['id']}/html")
    policy = framed.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "script" not in policy
    assert framed.text.startswith('<base target="_blank">')
    assert f'src="/messages/{found["id"]}/attachments/1"' in framed.text


async def test_pages_allow_no_script_and_only_their_own_style(mailbox: Mailbox) -> None:
    answer = await mailbox.http.get("/")
    policy = answer.headers["Content-Security-Policy"]
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert "default-src 'none'" in policy
    assert f'<style nonce="{nonce}">' in answer.text
    assert nonce not in (await mailbox.http.get("/")).text


async def test_a_calendar_is_shown_as_dates_and_can_be_downloaded(mailbox: Mailbox) -> None:
    await mailbox.send(with_calendar())
    (found,) = await mailbox.messages()
    page = await mailbox.page(f"/messages/{found['id']}")
    assert "Tue 1 Dec 2026, 18:00 – 19:15" in page
    assert "Europe/Warsaw" in page
    assert "CANCELLED" in page
    assert "Thu 24 Dec 2026 – Sat 26 Dec 2026" in page
    assert page.index("Vinyasa") < page.index("Closed")
    calendar = found["attachments"][0]["calendar"]
    assert (calendar["method"], len(calendar["dates"])) == ("REQUEST", 2)
    download = await mailbox.http.get(f"/messages/{found['id']}/attachments/1")
    assert download.content == CALENDAR
    assert "booking.ics" in download.headers["Content-Disposition"]


@pytest.mark.parametrize("content", [b"", b"BEGIN:VCALENDAR", b"\xff\xfe rubbish"])
async def test_a_broken_calendar_is_told_and_not_hidden(mailbox: Mailbox, content: bytes) -> None:
    await mailbox.send(with_calendar(content))
    (found,) = await mailbox.messages()
    page = await mailbox.page(f"/messages/{found['id']}")
    assert "This calendar cannot be read" in page


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no headers at all",
        b"Subject: =?no-such-charset?q?=FF?=\r\nContent-Type: text/plain; charset=x\r\n\r\n\xff",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b'Content-Type: application/x; name="../../etc/passwd"\r\n\r\nx',
        b"Subject: \xff\xfe\r\nMessage-ID: <<>>\r\nTo: @\r\n\r\n\xff",
    ],
)
async def test_no_mail_is_so_broken_that_it_cannot_be_seen(mailbox: Mailbox, raw: bytes) -> None:
    mailbox.running.store.add("", ["carl@example.com"], raw)
    (found,) = await mailbox.messages()
    assert "carl@example.com" in await mailbox.page("/")
    await mailbox.page(f"/messages/{found['id']}")
    assert "/" not in "".join(part["filename"] for part in found["attachments"])


async def test_mails_outlive_the_server(tmp_path: Path) -> None:
    async with serve(tmp_path) as first:
        kept = first.store.add("a@x", ["b@x", "c@x"], b"Subject: Kept\r\n\r\nText")
    async with serve(tmp_path) as second:
        assert second.store.get(kept.id) == kept
        later = second.store.add("a@x", ["b@x"], b"Subject: Later\r\n\r\n")
    assert later.id > kept.id


async def test_all_mails_are_deleted_by_the_button(mailbox: Mailbox, tmp_path: Path) -> None:
    await mailbox.send(mail())
    answer = await mailbox.http.post(
        "/messages/delete", headers={"Origin": mailbox.running.base_url}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert await mailbox.messages() == []
    assert list((tmp_path / "mailbox").iterdir()) == []


async def test_other_sites_cannot_use_a_browser_against_it(mailbox: Mailbox) -> None:
    await mailbox.send(mail())
    for path in ("/messages/delete", "/_faults"):
        answer = await mailbox.http.post(path, headers={"Origin": "http://evil.example"})
        assert answer.status_code == 403
    assert len(await mailbox.messages()) == 1


@pytest.mark.parametrize("path", ["", "/html", "/source", "/attachments/1"])
async def test_what_is_not_there_has_a_page_that_says_so(mailbox: Mailbox, path: str) -> None:
    answer = await mailbox.http.get(f"/messages/..%2Fstate{path}")
    assert answer.status_code == 404
    assert "Not here" in answer.text
    assert (await mailbox.http.get("/api/messages/none")).status_code == 404


async def test_refused_mails_are_not_kept(mailbox: Mailbox) -> None:
    await mailbox.fail(mode="reject", code=550, times=1)
    with pytest.raises(aiosmtplib.SMTPDataError) as caught:
        await mailbox.send(mail())
    assert caught.value.code == 550
    assert await mailbox.messages() == []
    await mailbox.send(mail())
    assert len(await mailbox.messages()) == 1


async def test_a_fault_can_be_meant_for_one_recipient(mailbox: Mailbox) -> None:
    await mailbox.fail(mode="reject", recipient="carl@example.com")
    await mailbox.send(mail(to="olive@example.com"))
    with pytest.raises(aiosmtplib.SMTPDataError):
        await mailbox.send(mail(to="carl@example.com"))


async def test_an_accepted_mail_whose_sender_never_hears_of_it_is_kept(mailbox: Mailbox) -> None:
    await mailbox.fail(mode="accept_then_drop", times=1)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await mailbox.send(mail())
    await mailbox.send(mail())
    assert [found["copies"] for found in await mailbox.messages()] == [2, 2]


async def test_a_slow_server_makes_its_sender_give_up(mailbox: Mailbox) -> None:
    await mailbox.fail(mode="slow", seconds=30)
    with pytest.raises(aiosmtplib.SMTPReadTimeoutError):
        await aiosmtplib.send(
            mail(), hostname="127.0.0.1", port=urlsplit(mailbox.running.smtp_url).port, timeout=0.2
        )


@pytest.mark.parametrize("fault", [{"mode": "burn"}, {"mode": "reject", "code": 250}, {"x": 1}])
async def test_an_unknown_fault_is_refused(mailbox: Mailbox, fault: dict[str, Any]) -> None:
    assert (await mailbox.fail(**fault)).status_code == 400
    assert (await mailbox.http.get("/_faults")).json()["mode"] == "ok"


def test_as_a_process_of_its_own_it_ends_when_told(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "src.sandbox.mailbox", f"--smtp-port={free_port()}"]
    command += [f"--http-port={port}", f"--data-dir={tmp_path}"]
    with subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True) as process:
        until(http_ready(port, "/"))
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert not is_alive(process.pid)
