"""What other sites show of the hub and of services: alike for everybody, and leading out."""

import re
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient, Response

from src.booking.domain.reasons import not_at_present
from src.booking.models import Service
from src.platform.services import Services
from tests.support.appointments import a_practice
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.collections import a_collection, a_customer
from tests.support.credits import a_package
from tests.support.portal import sign_in_portal

pytestmark = pytest.mark.anyio

LINK = re.compile(r"<a\b[^>]*>")


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory, payments_ready=True)


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    return await a_service(services.uow_factory, lotus.id)


async def framed(client: AsyncClient, path: str) -> str:
    """A frame that any site may show, that sets no cookie and leaves itself for every form."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    may_be_framed(answer)
    links = [one for one in LINK.findall(answer.text) if 'class="skip"' not in one]
    out = [one for one in links if 'href="/b/' in one]
    assert out
    assert all('target="_top"' in one for one in out), out
    stays = [one for one in links if one not in out]
    assert all('href="/embed/' in one for one in stays), stays
    assert "<form" not in answer.text
    return answer.text


def may_be_framed(answer: Response) -> None:
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert "js/embedded" in answer.text


async def test_the_hub_shows_all_and_leads_out(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    await a_series(services.uow_factory, yoga)
    session = await a_session(services.uow_factory, yoga, in_days=1)
    await a_practice(services.uow_factory, lotus)
    text = await framed(client, "/embed/lotus")
    for said in ('href="/b/lotus/yoga"', "Spring term", f"/b/lotus/yoga/book?session={session.id}"):
        assert said in text
    assert "Everything at" in text
    page = await client.get("/b/lotus")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_months_stay_in_the_frame(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    for days in (1, 40):
        await a_session(services.uow_factory, yoga, in_days=days)
    later = services.clock.now() + timedelta(days=40)
    for path in ("/embed/lotus", "/embed/lotus/yoga"):
        text = await framed(client, path)
        ahead = re.search(rf'href="({path}\?month=[^"#]*)', text)
        assert ahead is not None
        text = await framed(client, f"{path}?month={later:%Y-%m}")
        assert f"{later:%B %Y}" in text


async def test_a_service_has_a_switch_between_its_sides(
    client: AsyncClient, services: Services, yoga: Service
) -> None:
    term = await a_series(services.uow_factory, yoga)
    session = await a_session(services.uow_factory, yoga, in_days=1)
    text = await framed(client, "/embed/lotus/yoga")
    assert f"/b/lotus/yoga/book?series={term.series.id}" in text
    assert 'href="/embed/lotus/yoga?how=single"' in text
    text = await framed(client, "/embed/lotus/yoga?how=single")
    assert f"/b/lotus/yoga/book?session={session.id}" in text


async def test_one_series_stands_alone(
    client: AsyncClient, services: Services, yoga: Service
) -> None:
    one = await a_series(services.uow_factory, yoga, title="Mondays", visibility="unlisted")
    await a_series(services.uow_factory, yoga, title="Tuesdays", price_minor=4500)
    text = await framed(client, f"/embed/lotus/yoga?series={one.series.id}")
    assert "Mondays" in text
    assert "Tuesdays" not in text
    assert "how=single" not in text
    assert set(re.findall(r"€[\d.]+", text)) == {"€60.00"}, "neither single dates nor others"
    assert "Mondays" not in await framed(client, "/embed/lotus/yoga"), "its link alone leads there"


async def test_one_that_is_hidden_is_not_there(
    client: AsyncClient, services: Services, yoga: Service
) -> None:
    one = await a_series(services.uow_factory, yoga, title="Mondays", visibility="hidden")
    text = await framed(client, f"/embed/lotus/yoga?series={one.series.id}")
    assert "Mondays" not in text
    assert "Nothing here at present" in text


async def test_free_times_are_chosen_in_the_frame_and_lead_out(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    practice = await a_practice(services.uow_factory, lotus)
    slug = practice.service.slug
    text = await framed(client, f"/embed/lotus/{slug}")
    assert f'href="/b/lotus/{slug}/book?' in text
    day = re.search(rf'href="(/embed/lotus/{slug}\?[^"]*day=[^"]*)"', text)
    assert day is not None


@pytest.mark.parametrize("more", [{"visibility": "hidden"}, {"slug": "other"}])
async def test_what_is_not_there_may_not_be_looked_at(
    client: AsyncClient, services: Services, lotus: Business, more: dict[str, Any]
) -> None:
    await a_service(services.uow_factory, lotus.id, **more)
    answer = await client.get("/embed/lotus/yoga")
    assert answer.status_code == 404
    leads_out_for_want_of_a_frame(answer)


async def test_a_business_that_is_closed_has_no_frames(
    client: AsyncClient, services: Services
) -> None:
    await a_business(services.uow_factory, "lotus", status="closed")
    answer = await client.get("/embed/lotus")
    assert answer.status_code == 410
    leads_out_for_want_of_a_frame(answer)
    page = (await client.get("/b/lotus")).text
    assert "<base" not in page
    assert "data-theme" not in page
    assert "<header" in page


def leads_out_for_want_of_a_frame(answer: Response) -> None:
    """What is said instead may stand in the other site; none of our pages that it leads to may."""
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers
    assert '<base target="_top">' in answer.text
    assert 'data-theme="light"' in answer.text, "as frames look, whatever the reader likes"
    assert "js/embedded.js" in answer.text, "as high as what is said"
    assert "<header" not in answer.text


async def test_what_is_off_says_so(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, active=False)
    session = await a_session(services.uow_factory, service)
    text = await framed(client, "/embed/lotus/yoga")
    assert not_at_present() in text
    assert str(session.id) not in text


@pytest.mark.parametrize("knows", [True, False])
async def test_of_what_is_kept_there_is_only_the_way_whoever_looks(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service, knows: bool
) -> None:
    factory = services.uow_factory
    term = await a_series(factory, yoga, title="Mondays")
    kept = await a_package(factory, lotus.id, name="Ten for regulars")
    practice = await a_practice(factory, lotus)
    await a_collection(factory, lotus.id, yoga, kept, practice.service)
    if knows:
        carl = await a_customer(factory, lotus.id, established=True)
        await sign_in_portal(client, services, lotus.id, carl)
    slug = practice.service.slug
    for path, way in (
        ("/embed/lotus/yoga", "/b/lotus/yoga"),
        (f"/embed/lotus/yoga?series={term.series.id}", f"#series-{term.series.id}"),
        (f"/embed/lotus/packages?package={kept.id}", f"/b/lotus/packages/{kept.id}"),
        (f"/embed/lotus/{slug}", f"/b/lotus/{slug}"),
    ):
        text = await framed(client, path)
        assert "For existing customers: sign in to see it" in text
        assert f'{way}"' in text
        assert "Mondays" not in text
        assert "Ten for regulars" not in text


async def test_one_package_stands_alone(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    one = await a_package(factory, lotus.id, name="Ten", visibility="unlisted")
    await a_package(factory, lotus.id, name="Twenty")
    text = await framed(client, f"/embed/lotus/packages?package={one.id}")
    assert f'href="/b/lotus/packages/{one.id}"' in text
    assert "Twenty" not in text
    hidden = await a_package(factory, lotus.id, name="None", visibility="hidden")
    assert (await client.get(f"/embed/lotus/packages?package={hidden.id}")).status_code == 404


async def test_a_plan_without_it_shows_nothing(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory, "lotus", plan="free")
    service = await a_service(services.uow_factory, business.id)
    session = await a_session(services.uow_factory, service)
    package = await a_package(services.uow_factory, business.id)
    for path in ("/embed/lotus/yoga", f"/embed/lotus/packages?package={package.id}"):
        assert (await client.get(path)).status_code == 404, path
    hub = await client.get("/embed/lotus")
    may_be_framed(hub)
    assert str(session.id) not in hub.text
    assert "Nothing to book here yet" in hub.text
