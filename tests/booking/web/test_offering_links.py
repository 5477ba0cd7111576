"""The page with the link of an offering, its QR code and the code for another site."""

import io
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest
import segno
from httpx import AsyncClient
from PIL import Image

from src.booking.models import Service
from src.booking.qr_codes import PRINTED_SCALE, QUIET_ZONE
from src.booking.web.offering_links import snippet_of
from src.platform.services import Services
from tests.booking.web.pages import as_owner
from tests.support.appointments import a_practice
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.collections import a_collection
from tests.support.credits import a_package

pytestmark = pytest.mark.anyio

APP = "/app/lotus"


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    await a_session(services.uow_factory, service)
    return service


async def shown(client: AsyncClient, path: str) -> str:
    answer = await client.get(APP + path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


async def test_every_offering_has_one_and_its_own_page_leads_there(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    factory = services.uow_factory
    term = await a_series(factory, yoga, price_type="free")
    package = await a_package(factory, lotus.id)
    menu = await a_collection(factory, lotus.id, yoga, title="Menu", established_only=False)
    offered = f"/b/lotus/yoga?how=series&series={term.series.id}#series-{term.series.id}"
    for home, link, page, frame in (
        ("/services", "/link", "/b/lotus", "/embed/lotus"),
        ("/services", f"/services/{yoga.id}/link", "/b/lotus/yoga", "/embed/lotus/yoga"),
        (
            f"/services/{yoga.id}/sessions",
            f"/services/{yoga.id}/link",
            "/b/lotus/yoga",
            "/embed/lotus/yoga",
        ),
        (
            f"/series/{term.series.id}",
            f"/series/{term.series.id}/link",
            offered,
            f"/embed/lotus/yoga?series={term.series.id}",
        ),
        ("/packages", "/packages/embed", "/b/lotus/packages", "/embed/lotus/packages"),
        (
            f"/packages/{package.id}",
            f"/packages/{package.id}/link",
            f"/b/lotus/packages/{package.id}",
            f"/embed/lotus/packages?package={package.id}",
        ),
        (
            f"/collections/{menu.id}",
            f"/collections/{menu.id}/link",
            "/b/lotus/collections/menu",
            "/embed/lotus/collections/menu",
        ),
    ):
        assert f'href="{APP}{link}"' in await shown(client, home)
        text = await shown(client, link)
        assert f'href="{services.settings.base_url}{page}"' in text
        assert f'<iframe src="{services.settings.base_url}{frame}"' in unescape(text)
        assert "/static/js/embed.js" in text
        assert "tone-warning" not in text, "all of it can be had"
        for path in (page, frame):
            assert (await client.get(path)).status_code == 200, path


async def test_the_booking_pages_own_link_leads_to_all_others(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    factory = services.uow_factory
    hidden = await a_service(factory, lotus.id, slug="x", name="Trial", visibility="hidden")
    term = await a_series(factory, yoga)
    package = await a_package(factory, lotus.id)
    menu = await a_collection(factory, lotus.id, yoga, title="Menu")
    text = await shown(client, "/link")
    for link in (
        f"services/{yoga.id}",
        f"services/{hidden.id}",
        f"series/{term.series.id}",
        f"packages/{package.id}",
        f"collections/{menu.id}",
    ):
        assert f'href="{APP}/{link}/link"' in text
    assert f'href="{APP}/packages/embed"' in text
    assert "Trial (hidden)" in text


async def test_the_code_is_of_the_link_to_be_seen_and_to_be_kept(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    here = f"/services/{yoga.id}/link"
    text = await shown(client, here)
    for kind in ("svg", "png"):
        assert f'href="{APP}{here}?code={kind}"' in text
    drawn = await client.get(f"{APP}{here}?code=svg")
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert ElementTree.fromstring(drawn.content).tag.endswith("svg")
    assert 'filename="lotus-yoga-qr.svg"' in drawn.headers["content-disposition"]
    term = await a_series(services.uow_factory, yoga, title="Spring term")
    of_series = await client.get(f"{APP}/series/{term.series.id}/link?code=svg")
    assert 'filename="lotus-yoga-spring-term-qr.svg"' in of_series.headers["content-disposition"]
    png = await client.get(f"{APP}{here}?code=png")
    assert png.headers["content-type"] == "image/png"
    wanted = segno.make(f"{services.settings.base_url}/b/lotus/yoga", error="m", micro=False)
    with Image.open(io.BytesIO(png.content)) as picture:
        read = picture.convert("1")
        modules = wanted.symbol_size(border=QUIET_ZONE)[0]
        assert read.size == (modules * PRINTED_SCALE,) * 2
        middle = PRINTED_SCALE // 2
        found = [
            [
                read.getpixel((x * PRINTED_SCALE + middle, y * PRINTED_SCALE + middle)) == 0
                for x in range(modules)
            ]
            for y in range(modules)
        ]
    assert found == [[bool(one) for one in row] for row in wanted.matrix_iter(border=QUIET_ZONE)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"visibility": "hidden"}, "It is hidden, so there is no page at this address."),
        ({"active": False}, "It is switched off: guests read there"),
        ({"visibility": "unlisted"}, "guests find it by this link, or in a collection"),
        ({}, "Guests read: “No dates at present”"),
    ],
)
async def test_what_keeps_guests_from_a_service_is_said(
    client: AsyncClient, services: Services, lotus: Business, more: dict[str, Any], said: str
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free", **more)
    if "active" in more:
        await a_session(services.uow_factory, service)
    assert said in await shown(client, f"/services/{service.id}/link")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"payments_ready": False}, "Guests read there: “Online payment is not possible"),
        ({"status": "paused"}, "Nobody can have it just now. Guests read: “"),
    ],
)
async def test_what_keeps_guests_from_all_there_is_is_told_from_what_keeps_them_from_some(
    client: AsyncClient, services: Services, more: dict[str, Any], said: str
) -> None:
    business = await a_business(services.uow_factory, "lotus", **more)
    await as_owner(client, services, business)
    for slug, price_type in (("yoga", "online"), ("meditation", "free")):
        service = await a_service(
            services.uow_factory, business.id, slug=slug, price_type=price_type
        )
        await a_session(services.uow_factory, service)
    assert said in await shown(client, "/link")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"visibility": "hidden"}, "It is hidden"),
        ({"active": False}, "It is off sale"),
        ({"active": False, "published_at": None}, "It is not on sale yet"),
        ({"first_in_days": -30}, "Guests read: “"),
    ],
)
async def test_what_keeps_guests_from_a_series_is_said(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    yoga: Service,
    more: dict[str, Any],
    said: str,
) -> None:
    term = await a_series(services.uow_factory, yoga, price_type="free", **more)
    assert said in await shown(client, f"/series/{term.series.id}/link")


async def test_what_is_kept_or_off_is_said_of_packages_and_collections(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    kept = await a_package(factory, lotus.id, name="Kept")
    off = await a_package(factory, lotus.id, name="Off", active=False)
    regulars = await a_collection(factory, lotus.id, kept)
    gone = await a_collection(factory, lotus.id, title="Gone", active=False, established_only=False)
    for link, said in (
        (f"/packages/{kept.id}", "It is for known customers only"),
        (f"/packages/{off.id}", "It is off sale"),
        (f"/collections/{regulars.id}", "It is for known customers only"),
        (f"/collections/{gone.id}", "It is switched off, so there is no page"),
    ):
        text = await shown(client, f"{link}/link")
        assert said in text, link
        for_known = "known customers only" in said
        assert ("It shows only the way to its page" in text) == for_known, link
        assert ("It always shows what is on sale" in text) != for_known, link


async def test_what_is_given_back_for_dates_has_none(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    package = await a_package(
        services.uow_factory, lotus.id, purpose="refund", pays=[], price_minor=0
    )
    assert (await client.get(f"{APP}/packages/{package.id}/link")).status_code == 404
    assert f"{package.id}/link" not in await shown(client, f"/packages/{package.id}")


async def test_what_the_plan_no_longer_has_is_said(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory, "lotus", plan="free")
    await as_owner(client, services, business)
    service = await a_service(services.uow_factory, business.id)
    practice = await a_practice(services.uow_factory, business)
    term = await a_series(services.uow_factory, service)
    package = await a_package(services.uow_factory, business.id)
    menu = await a_collection(services.uow_factory, business.id)
    for link, said in (
        (f"/services/{service.id}", "Your plan has no group services"),
        (f"/series/{term.series.id}", "Your plan has no series"),
        (f"/packages/{package.id}", "Your plan has no packages"),
        (f"/collections/{menu.id}", "Your plan has no collections"),
    ):
        assert said in await shown(client, f"{link}/link"), link
    assert "Your plan has no" not in await shown(client, f"/services/{practice.service.id}/link")


def test_nothing_that_somebody_typed_breaks_out_of_the_snippet() -> None:
    made = snippet_of("https://x.example", "https://x.example/embed/a?b=1&c=2", '"><script>')
    assert 'title="&#34;&gt;&lt;script&gt;"' in made
    assert "?b=1&amp;c=2" in made
