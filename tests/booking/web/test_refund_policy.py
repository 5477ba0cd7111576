"""The matrix of what comes back to whom: saved, shown again, refused, and kept without a plan."""

import re
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.booking.domain.leaving import LeavingTerms, Tier, terms_from
from src.booking.domain.refund_policy import BuyerRule, Gives, RefundPolicy
from src.booking.models import Series, Service
from src.platform.services import Services
from tests.booking.web.pages import as_owner, send, send_again
from tests.support.builders import Business, a_business, a_series, a_service
from tests.support.policies import a_refund_package, gives_package, leaving

pytestmark = pytest.mark.anyio


async def kept(services: Services, lotus: Business, model: type[Any]) -> LeavingTerms:
    async with services.uow_factory(lotus.id) as uow:
        return terms_from((await uow.session.scalars(select(model.leaving))).one())


async def a_term(services: Services, lotus: Business, **more: object) -> tuple[str, Series]:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, **more)
    return f"/app/lotus/series/{term.series.id}", term.series


def a_row(place: int, gives: str, **more: str) -> dict[str, str]:
    return {f"rules.{place}.gives": gives} | {f"rules.{place}.{k}": v for k, v in more.items()}


async def test_the_courses_policy_is_kept_and_shown_in_plain_words(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    given = await a_refund_package(services.uow_factory, lotus.id)
    path, _series = await a_term(services, lotus, drop_in_allowed=True, tags=["beginners"])
    typed = a_row(0, "package", package_id=str(given.id), **{"tiers.0.before": "24"})
    saved = await send(client, f"{path}/refunds", typed)
    assert saved.status_code == 303, saved.text
    rule = BuyerRule(
        gives=Gives.PACKAGE, package_id=given.id, tiers=(Tier(before=24, percent=100),)
    )
    assert (await kept(services, lotus, Series)).policy == RefundPolicy(course=rule)
    shown = await client.get(f"{path}/refunds")
    assert "you get 1 credit for “Beginner classes”, valid for 60 days" in shown.text
    assert "fits 3 dates on sale" in shown.text
    again = await send_again(client, f"{path}/refunds", shown, {})
    assert again.status_code == 303
    assert (await kept(services, lotus, Series)).policy == RefundPolicy(course=rule)


async def test_the_editor_of_the_series_leaves_the_policy_alone(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    given = await a_refund_package(services.uow_factory, lotus.id)
    policy = leaving(course=gives_package(given))
    path, _series = await a_term(services, lotus, leaving=policy)
    saved = await send(client, f"{path}/edit", {"title": "Autumn"})
    assert saved.status_code == 303, saved.text
    assert (await kept(services, lotus, Series)).document() == policy


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            {
                **a_row(0, "money"),
                "rules.0.tiers.0.before": "24",
                "rules.0.tiers.0.percent": "50",
                "rules.0.tiers.2.before": "12",
                "rules.0.tiers.2.percent": "80",
            },
            ("rules-0-tiers-2-percent", "Leaving later cannot give more back"),
        ),
        (
            {
                **a_row(0, "money"),
                "rules.0.tiers.0.before": "12",
                "rules.0.tiers.1.before": "24",
            },
            ("rules-0-tiers-1-before", "Put the longest time before the start first."),
        ),
        (
            {**a_row(0, "package"), "rules.0.tiers.0.before": "24"},
            ("rules-0-package_id", "Please choose which credit is given back."),
        ),
        (a_row(0, "money"), ("rules-0-tiers", "Please say until when it comes back.")),
        (
            {**a_row(0, "money"), "rules.0.tiers.0.before": "soon"},
            ("rules-0-tiers-0-before", "Please give a whole number."),
        ),
    ],
)
async def test_what_makes_no_policy_is_refused_at_its_field(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    typed: dict[str, str],
    said: tuple[str, str],
) -> None:
    path, _series = await a_term(services, lotus)
    refused = await send(client, f"{path}/refunds", typed)
    field, sentence = said
    assert refused.status_code == 422
    error = refused.text.split(f'id="f-{field}-error"')[1][:600]
    assert sentence in error
    assert (await kept(services, lotus, Series)).policy is None


def error_at(shown: str, field: str) -> str:
    """What is said at the field; nothing where no error is."""
    return "".join(shown.split(f'id="f-{field}-error"')[1:])[:800]


async def test_all_that_is_wrong_is_said_at_once_and_all_that_was_typed_is_kept(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    fern = await a_business(services.uow_factory, "fern")
    theirs = await a_refund_package(services.uow_factory, fern.id)
    path, _series = await a_term(services, lotus)
    typed = {
        **a_row(0, "money"),
        "rules.0.tiers.0.before": "24",
        "rules.0.tiers.0.percent": "50",
        "rules.0.tiers.1.before": "soon",
        "rules.0.tiers.1.percent": "900",
        "rules.0.tiers.2.before": "48",
        "rules.0.tiers.2.percent": "80",
        **a_row(1, "package", package_id=str(theirs.id)),
        "rules.1.tiers.0.before": "3 days",
        **a_row(2, "credit"),
        "rules.2.tiers.0.before": "1234567",
        **a_row(3, "package"),
    }
    refused = await send(client, f"{path}/refunds", typed)
    assert refused.status_code == 422
    for field, said in {
        "rules-0-tiers-1-before": "Please give a whole number.",
        "rules-0-tiers-1-percent": "What comes back lies between 0 and 100 percent.",
        "rules-0-tiers-2-before": "Put the longest time before the start first.",
        "rules-0-tiers-2-percent": "Leaving later cannot give more back",
        "rules-1-package_id": "Please choose one of the given credits.",
        "rules-1-tiers-0-before": "Please give a whole number.",
        "rules-2-tiers-0-before": "",
        "rules-3-package_id": "Please choose which credit is given back.",
        "rules-3-tiers": "Please say until when it comes back.",
    }.items():
        error = error_at(refused.text, field)
        assert error, field
        assert said in error, field
    for field in ("rules-0-tiers-0-before", "rules-1-tiers", "rules-2-tiers"):
        assert not error_at(refused.text, field), field
    for text in ("soon", "900", "3 days", "1234567"):
        assert f'value="{text}"' in refused.text
    assert (await kept(services, lotus, Series)).policy is None


async def test_another_business_s_package_is_none(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    fern = await a_business(services.uow_factory, "fern")
    theirs = await a_refund_package(services.uow_factory, fern.id)
    path, _series = await a_term(services, lotus)
    typed = a_row(0, "package", package_id=str(theirs.id), **{"tiers.0.before": "24"})
    refused = await send(client, f"{path}/refunds", typed)
    assert refused.status_code == 422
    assert "Please choose one of the given credits." in refused.text


async def test_a_package_that_fits_no_date_on_sale_is_warned_of(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    given = await a_refund_package(services.uow_factory, lotus.id)
    policy = leaving(course=gives_package(given))
    path, _series = await a_term(services, lotus, leaving=policy, tags=["advanced"])
    shown = await client.get(f"{path}/refunds")
    assert "cannot be used for any date on sale" in shown.text


async def test_a_service_s_policy_knows_single_dates_only(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    path = f"/app/lotus/services/{service.id}/refunds"
    shown = await client.get(path)
    assert "Bought the course" not in shown.text
    ways_out = set(re.findall(rf'href="(/app/lotus/services/{service.id}[^"]*)"', shown.text))
    assert [(await client.get(way)).status_code for way in ways_out] == [200]
    assert "Single date, by card or transfer" in shown.text
    assert "Money: back to the card" not in shown.text, "it rules what was transferred as well"
    saved = await send(client, path, a_row(1, "nothing"))
    assert saved.status_code == 303, saved.text
    policy = (await kept(services, lotus, Service)).policy
    assert policy == RefundPolicy(credit=BuyerRule(gives=Gives.NOTHING))


async def test_without_the_bolt_on_nothing_is_saved_and_nothing_is_lost(
    client: AsyncClient, services: Services
) -> None:
    fern = await a_business(services.uow_factory, "fern", plan="growth")
    given = await a_refund_package(services.uow_factory, fern.id)
    policy = leaving(course=gives_package(given))
    service = await a_service(services.uow_factory, fern.id)
    term = await a_series(services.uow_factory, service, leaving=policy)
    await as_owner(client, services, fern)
    path = f"/app/fern/series/{term.series.id}/refunds"
    shown = await client.get(path)
    assert "Auto-refund is not part of your plan." in shown.text
    assert "credits stay usable" in shown.text
    refused = await client.post(path, data={"csrf_token": "", **a_row(0, "nothing")})
    assert refused.status_code in (402, 403)
    assert (await kept(services, fern, Series)).document() == policy


async def test_a_policy_that_has_changed_meanwhile_is_not_undone(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    path, _series = await a_term(services, lotus)
    shown = await client.get(f"{path}/refunds")
    given = await a_refund_package(services.uow_factory, lotus.id)
    policy = leaving(course=gives_package(given))
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Series).values(leaving=policy))
    refused = await send_again(client, f"{path}/refunds", shown, a_row(1, "nothing"))
    assert refused.status_code == 409
    assert (await kept(services, lotus, Series)).document() == policy


async def test_the_pages_of_the_series_and_of_the_services_lead_to_what_comes_back(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    path, series = await a_term(services, lotus)
    of_service = f"/app/lotus/services/{series.service_id}/refunds"
    for page, href in ((path, f"{path}/refunds"), ("/app/lotus/services", of_service)):
        shown = await client.get(page)
        assert f'href="{href}"' in shown.text, page
        assert (await client.get(href)).status_code == 200


async def test_a_preview_refuses_what_saving_refuses_and_shows_no_terms_that_cannot_be(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    path, _series = await a_term(services, lotus)
    rising = {
        **a_row(0, "money"),
        "rules.0.tiers.0.before": "24",
        "rules.0.tiers.0.percent": "50",
        "rules.0.tiers.1.before": "12",
        "rules.0.tiers.1.percent": "80",
        **a_row(1, "money"),
        "rules.1.tiers.0.before": "48",
        "rules.1.tiers.0.percent": "70",
    }
    for pressed in ({"preview": "1"}, {}):
        refused = await send(client, f"{path}/refunds", rising | pressed)
        assert refused.status_code == 422, pressed
        assert "Leaving later cannot give more back" in error_at(
            refused.text, "rules-0-tiers-1-percent"
        )
        assert 'value="80"' in refused.text
        course, card = refused.text.split("What they read for")[1:3]
        assert "Leaving later cannot give more back" in course.split("panel-head")[0]
        assert "<ol" not in course.split("panel-head")[0]
        assert "70" in card.split("<ol")[1].split("</ol>")[0]
    rising["rules.0.tiers.1.percent"] = "20"
    shown = await send(client, f"{path}/refunds", rising | {"preview": "1"})
    assert shown.status_code == 200
    assert "20" in shown.text.split("What they read for")[1].split("</ol>")[0]
    assert (await kept(services, lotus, Series)).policy is None


async def test_what_they_read_names_no_moment_that_has_passed(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    path, _series = await a_term(services, lotus)
    typed = {
        **a_row(0, "money"),
        "rules.0.tiers.0.before": "300",
        "rules.0.tiers.0.unit": "days",
        "rules.0.tiers.0.percent": "50",
    }
    shown = await send(client, f"{path}/refunds", typed | {"preview": "1"})
    assert shown.status_code == 200, shown.text
    assert "What they read for" not in shown.text
    course = shown.text.split("What they read, counted from the start of a date")[1]
    assert "Cancel up to 300 days before a date" in course.split("</ol>")[0]


async def test_the_page_has_the_fields_of_every_choice_and_none_that_no_choice_asks_for(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """Which of them are seen, the stylesheet says; the browser's test looks at that."""
    path, _series = await a_term(services, lotus)
    shown = await client.get(f"{path}/refunds")
    assert "(optional)" not in shown.text
    for place, is_by_credit in enumerate([False, False, True, False]):
        assert (f'name="rules.{place}.package_id"' in shown.text) is not is_by_credit
        for step in range(3):
            assert f'name="rules.{place}.tiers.{step}.before"' in shown.text
            percent = f'name="rules.{place}.tiers.{step}.percent"'
            assert (percent in shown.text) is not is_by_credit


async def test_a_percent_typed_for_money_is_no_part_of_a_credit(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    given = await a_refund_package(services.uow_factory, lotus.id)
    path, _series = await a_term(services, lotus)
    typed = {
        **a_row(0, "package", package_id=str(given.id)),
        "rules.0.tiers.0.before": "48",
        "rules.0.tiers.0.percent": "50",
        "rules.0.tiers.1.before": "24",
        "rules.0.tiers.1.percent": "80",
        "rules.0.tiers.2.percent": "half of it",
    }
    shown = await send(client, f"{path}/refunds", typed | {"preview": "1"})
    assert shown.status_code == 200, shown.text
    assert "no percent applies to it" in shown.text
    course = shown.text.split("What they read for")[1].split("panel-head")[0]
    assert "you get 1 credit for “Beginner classes”" in course
    assert "%" not in course.split("<ol")[1].split("</ol>")[0]
    for text in ("50", "80", "half of it"):
        assert f'value="{text}"' in shown.text, "it is there again for who goes back to money"
    saved = await send(client, f"{path}/refunds", typed)
    assert saved.status_code == 303, saved.text
    rule = gives_package(given, (Tier(before=48, percent=100), Tier(before=24, percent=100)))
    assert (await kept(services, lotus, Series)).policy == RefundPolicy(course=rule)
    again = await client.get(f"{path}/refunds")
    assert 'value="50"' not in again.text
    assert again.text.count('value="100"') == 2, "what would come back, were money chosen now"


async def test_what_a_choice_does_not_ask_for_is_no_mistake_and_what_it_asks_for_is(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    path, _series = await a_term(services, lotus)
    typed = {
        **a_row(0, "package", package_id=""),
        "rules.0.tiers.0.before": "24",
        "rules.0.tiers.0.percent": "900",
        "rules.0.tiers.1.percent": "half of it",
        **a_row(1, "money", package_id="gone"),
        "rules.1.tiers.0.before": "24",
        "rules.1.tiers.0.percent": "50",
        **a_row(3, "nothing"),
        "rules.3.tiers.0.before": "as late as they like",
    }
    refused = await send(client, f"{path}/refunds", typed)
    assert refused.status_code == 422
    assert "Please choose which credit" in error_at(refused.text, "rules-0-package_id")
    assert re.findall(r'id="f-([^"]*)-error"', refused.text) == ["rules-0-package_id"]
    for text in ("900", "half of it", "50", "as late as they like"):
        assert f'value="{text}"' in refused.text
    money = {"rules.0.gives": "money"}
    refused = await send_again(client, f"{path}/refunds", refused, money)
    assert refused.status_code == 422
    said = error_at(refused.text, "rules-0-tiers-0-percent")
    assert "What comes back lies between 0 and 100 percent." in said
    assert error_at(refused.text, "rules-0-tiers-1-percent")
    half = {"rules.0.tiers.0.percent": "50", "rules.0.tiers.1.percent": ""}
    saved = await send_again(client, f"{path}/refunds", refused, half)
    assert saved.status_code == 303, saved.text
    assert (await kept(services, lotus, Series)).policy == RefundPolicy(
        course=BuyerRule(gives=Gives.MONEY, tiers=(Tier(before=24, percent=50),)),
        card=BuyerRule(gives=Gives.MONEY, tiers=(Tier(before=24, percent=50),)),
        on_site=BuyerRule(gives=Gives.NOTHING),
    )


async def test_a_percent_kept_with_a_credit_before_is_not_shown_nor_kept_on(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """Such policies were saved once; a step of nothing gave no credit then, and gives none now."""
    given = await a_refund_package(services.uow_factory, lotus.id)
    steps = (Tier(before=48, percent=50), Tier(before=12, percent=0))
    path, _series = await a_term(
        services, lotus, leaving=leaving(course=gives_package(given, steps)), drop_in_allowed=True
    )
    shown = await client.get(f"{path}/refunds")
    assert 'value="50"' not in shown.text
    assert 'value="12"' not in shown.text
    read = shown.text.split("What they read for")[1].split("panel-head")[0]
    preview = await send_again(client, f"{path}/refunds", shown, {"preview": "1"})
    assert preview.text.split("What they read for")[1].split("panel-head")[0] == read
    saved = await send_again(client, f"{path}/refunds", shown, {})
    assert saved.status_code == 303, saved.text
    whole = gives_package(given, (Tier(before=48, percent=100),))
    assert (await kept(services, lotus, Series)).policy == RefundPolicy(course=whole)


async def test_a_credit_is_turned_into_money_with_the_percent_that_stands_there(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """Without scripts too: the field is in the page before the choice is."""
    given = await a_refund_package(services.uow_factory, lotus.id)
    path, _series = await a_term(
        services, lotus, leaving=leaving(course=gives_package(given)), drop_in_allowed=True
    )
    shown = await client.get(f"{path}/refunds")
    half = {"rules.0.gives": "money", "rules.0.tiers.0.percent": "50"}
    saved = await send_again(client, f"{path}/refunds", shown, half)
    assert saved.status_code == 303, saved.text
    policy = (await kept(services, lotus, Series)).policy
    assert policy is not None and policy.course is not None
    assert (policy.course.gives, policy.course.package_id) == (Gives.MONEY, None)
    assert [tier.percent for tier in policy.course.tiers] == [50]
