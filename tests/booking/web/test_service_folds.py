"""A service's editor shows what everybody needs; the rest is folded, and says what stands in it."""

import re
from typing import Any

import pytest
from httpx import AsyncClient, Response

from src.booking.web.leaving_forms import LeavingFields
from src.booking.web.service_folds import FIELDS, folds
from src.booking.web.service_forms import ServiceForm
from src.platform.services import Services
from src.platform.web.forms import Bound, blank
from tests.booking.web.pages import as_owner, send
from tests.support.builders import a_business, a_service

pytestmark = pytest.mark.anyio

NEW = "/app/lotus/services/new"
FOLD = re.compile(r'<details class="group"([^>]*)>(.*?)</details>', re.DOTALL)
FIELD = re.compile(r'<(?:input|select|textarea)[^>]*?\sname="([^"]+)"(?![^>]*type="hidden")')


def the_folds(shown: Response) -> dict[str, tuple[bool, set[str]]]:
    """By title: whether it is open, and which fields are in it."""
    found: dict[str, tuple[bool, set[str]]] = {}
    for more, inside in FOLD.findall(shown.text):
        title = re.search(r'font-medium">([^<]+)<', inside)
        assert title is not None
        names = {name.partition(".")[0] for name in FIELD.findall(inside)}
        found[title[1]] = "open" in more, names
    return found


def opened(shown: Response) -> set[str]:
    return {title for title, (is_open, _names) in the_folds(shown).items() if is_open}


async def test_a_new_one_is_closed_but_for_what_everybody_needs(
    client: AsyncClient, services: Services
) -> None:
    await as_owner(client, services, await a_business(services.uow_factory))
    shown = await client.get(NEW)
    assert opened(shown) == set()
    outside = {name.partition(".")[0] for name in FIELD.findall(FOLD.sub("", shown.text))}
    assert outside >= {"name", "description", "mode", "price_type", "price", "visibility"}
    assert outside >= {"duration_minutes", "default_capacity", "default_performer_id", "active"}
    folded = set[str]().union(*(names for _open, names in the_folds(shown).values()))
    appointments_only = {"step_minutes", "before_minutes", "after_minutes", "lengths"}
    assert folded == set(sum(FIELDS.values(), ())) - appointments_only - {"whole_course"}
    assert not folded & outside


@pytest.mark.parametrize(
    ("kind", "wrong", "title"),
    [
        ("group", {"slug": "No!"}, "Address and tags"),
        ("group", {"tags": "x" * 31}, "Address and tags"),
        ("group", {"tax_percent": "much"}, "Tax and other prices"),
        ("group", {"prices.0.name": "Child", "prices.0.price": "x"}, "Tax and other prices"),
        ("group", {"default_min_seats": "-1"}, "Minimum group size"),
        ("group", {"horizon_days": "9000"}, "Rules for booking"),
        ("group", {"max_party": "x"}, "Rules for booking"),
        ("group", {"tiers.0.before": "x", "tiers.0.percent": "100"}, "When guests cannot come"),
        ("group", {"late_fee": "x"}, "When guests cannot come"),
        (
            "group",
            {"questions.0.label": "Mat", "questions.0.kind": "choice"},
            "Questions to guests",
        ),
        ("appointment", {"after_minutes": "-1"}, "Start times and breaks"),
        ("appointment", {"lengths.0.price": "5"}, "Other lengths"),
        ("appointment", {"tax_percent": "much"}, "Tax"),
    ],
)
async def test_what_holds_a_refused_field_is_open(
    client: AsyncClient, services: Services, kind: str, wrong: dict[str, Any], title: str
) -> None:
    await as_owner(client, services, await a_business(services.uow_factory))
    begun = {"name": "Clay", "price": "80"}
    refused = await send(client, f"{NEW}?kind={kind}", {**begun, **wrong})
    assert refused.status_code == 422
    assert opened(refused) == {title}
    wrong_in_all, wrong_outside = (
        text.count('class="field-error"') for text in (refused.text, FOLD.sub("", refused.text))
    )
    assert wrong_in_all > wrong_outside, "it stands in what is open"


async def test_what_was_asked_to_be_shown_is_shown(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    await as_owner(client, services, business)
    edit = f"/app/lotus/services/{service.id}/edit"
    shown = await send(client, edit, {"preview": "1"})
    assert opened(shown) == {"When guests cannot come"}


def form(**said: Any) -> Bound[ServiceForm]:
    return blank(ServiceForm, {"may_cancel": True, **said})


@pytest.mark.parametrize(
    ("name", "said", "line"),
    [
        ("leaving", {}, "Nothing comes back"),
        ("leaving", {"may_cancel": False}, "Nothing comes back; only you cancel"),
        (
            "leaving",
            {"tiers": [{"before": 1, "unit": "days", "percent": 100}]},
            "Free until 1 day before",
        ),
        (
            "leaving",
            {"tiers": [{"before": 12, "unit": "hours", "percent": "50%"}]},
            "50% comes back until 12 hours before",
        ),
        ("leaving", {"tiers": [{"before": "x", "percent": 100}]}, "Nothing comes back"),
        ("rules", {}, "Until the start, 365 days ahead, up to 10 people at a time"),
        (
            "rules",
            {"min_notice_minutes": 90, "horizon_days": 1, "max_party": 1},
            "Until 1 hour 30 minutes before the start, 1 day ahead, one person at a time",
        ),
        ("rules", {"horizon_days": "soon", "max_party": ""}, "Until the start"),
        ("minimum", {}, "Takes place with any number"),
        (
            "minimum",
            {"default_min_seats": 4},
            "With at least 4 people, decided 24 hours before",
        ),
        ("prices", {}, "No tax in the price"),
        (
            "prices",
            {"tax_percent": "9", "prices": [{"name": "Child"}, {"name": ""}, {"name": "Member"}]},
            "Tax 9% · Child · Member",
        ),
        ("times", {}, "Can start every 30 minutes"),
        ("times", {"after_minutes": 15}, "Can start every 30 minutes; 15 min free after"),
        ("lengths", {}, "Only the usual one"),
        ("lengths", {"lengths": [{"minutes": 30}, {"minutes": 90}]}, "30 min, 1 hr 30 min"),
        ("questions", {}, "None yet; asked while booking"),
        ("questions", {"questions": [{"label": "Mat?"}, {"label": ""}]}, "Mat?"),
        ("finding", {}, "An address made from the name"),
        ("finding", {"slug": "yoga", "tags": "calm"}, "yoga · calm"),
    ],
)
async def test_a_closed_one_says_what_stands_in_it(
    name: str, said: dict[str, Any], line: str
) -> None:
    assert folds(form(**said))[name].said == line


async def test_the_terms_for_leaving_are_folded_as_a_whole() -> None:
    assert set(LeavingFields.__struct_fields__) <= set(FIELDS["leaving"])
