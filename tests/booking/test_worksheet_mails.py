"""The mail with the links of worksheets, in the shipped words and in a business's own."""

import pytest

from src.booking.models import WorksheetCopy
from src.booking.worksheet_mails import NAME, worksheet_mail
from src.platform.ids import new_id
from src.platform.mail.queue import Mail
from src.platform.services import Services
from src.tenants.domain.wording import Wording
from src.tenants.models import Customer
from src.tenants.worded_mails import SHIPPED, Wordings, find_mail_kind
from tests.support.builders import Business, a_business

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


def two_to_fill_in(
    services: Services,
    lotus: Business,
    body: str | None,
    *,
    subject: str = "Please",
    states: tuple[str, str] = ("asked", "asked"),
) -> Mail:
    """Goals and Health, by a body of the business's own."""
    wordings = SHIPPED
    if body is not None:
        wordings = Wordings({(NAME, "en"): Wording(subject=subject, body=body)})
    copies = [
        WorksheetCopy(
            tenant_id=lotus.id,
            id=new_id(),
            state=state,
            reopened_why="",
            asked_at=services.clock.now(),
        )
        for state in states
    ]
    anna = Customer(tenant_id=lotus.id, id=new_id(), name="Anna", email="anna@x.example", phone="")
    return worksheet_mail(
        services.settings,
        lotus.tenant,
        anna,
        list(zip(copies, ("Goals", "Health & all"), strict=True)),
        action_id=new_id(),
        now=services.clock.now(),
        locale="en",
        wordings=wordings,
    )


@pytest.mark.parametrize("is_own", [True, False])
async def test_each_link_has_a_line_and_a_button_of_its_own(
    services: Services, lotus: Business, is_own: bool
) -> None:
    kind = find_mail_kind(NAME)
    assert kind is not None
    mail = two_to_fill_in(services, lotus, kind.starter if is_own else None)
    here = f"{services.settings.base_url}/b/{lotus.slug}/worksheets/"
    lines = [line for line in mail.text.splitlines() if here in line]
    assert [line.partition(": ")[0] for line in lines] == ["Goals", "Health & all"]
    assert [line.count(here) for line in lines] == [1, 1]
    assert mail.html.count(f'href="{here}') == 2
    assert ">Health &amp; all</a>" in mail.html


async def test_links_within_a_sentence_can_be_followed_too(
    services: Services, lotus: Business
) -> None:
    mail = two_to_fill_in(services, lotus, "Here they are: {links}. Thank you.")
    here = f"{services.settings.base_url}/b/{lotus.slug}/worksheets/"
    assert mail.html.count(f'<a href="{here}') == 2
    first, second = mail.text.split(here)[1:]
    assert first.endswith(", Health & all: ")
    assert second.split()[0].endswith(".")
    assert f'{second.split()[0].rstrip(".")}"' in mail.html, "the full stop is no part of the link"


@pytest.mark.parametrize(
    ("states", "begins"),
    [
        (("asked", "begun"), "To fill in for"),
        (("reopened", "reopened"), "To correct for"),
        (("reopened", "asked"), "To fill in for"),
    ],
)
async def test_what_is_to_be_corrected_has_a_subject_of_its_own(
    services: Services, lotus: Business, states: tuple[str, str], begins: str
) -> None:
    kind = find_mail_kind(NAME)
    assert kind is not None
    for body in (None, kind.starter):
        own = {"subject": kind.starter_subject, "states": states}
        mail = two_to_fill_in(services, lotus, body, **own)
        assert mail.subject.startswith(f"{begins} {lotus.tenant.name}: ")
        assert ("You had sent it already" in mail.text) == ("reopened" in states)
    shipped = two_to_fill_in(services, lotus, None, states=states)
    asks = "asks you to correct" if begins == "To correct for" else "asks you to fill in"
    assert asks in shipped.text
    assert asks in shipped.html
