"""What links show where they are sent: words and a picture, and never of what is hidden."""

import io
import re
from html import unescape

import pytest
from httpx import AsyncClient
from PIL import Image, ImageColor

from src.booking.domain.reasons import not_at_present
from src.booking.models import Service
from src.booking.share_picture import HEIGHT, WIDTH
from src.platform.services import Services
from src.platform.web.theme import printed_accent
from tests.support.appointments import a_practice
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.collections import a_collection, a_customer
from tests.support.portal import sign_in_portal

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory, about="Yoga by the river.")


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    return await a_service(services.uow_factory, lotus.id, description="For everybody.")


async def said(client: AsyncClient, path: str) -> dict[str, str]:
    """What the page at the path tells who would show its link."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    found = re.findall(r'<meta\s+(?:property|name)="([^"]+)"\s+content="([^"]*)"', answer.text)
    return {name: unescape(words) for name, words in found}


async def pictured(client: AsyncClient, base_url: str, image: str) -> Image.Image:
    assert image.startswith(base_url)
    answer = await client.get(image.removeprefix(base_url))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    return Image.open(io.BytesIO(answer.content))


async def test_hub_service_series_and_appointments_have_one_each(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    factory, base_url = services.uow_factory, services.settings.base_url
    await a_session(factory, yoga, in_days=1)
    term = await a_series(factory, yoga, title="Mondays")
    practice = await a_practice(factory, lotus)
    images = set()
    of_series = f"/b/lotus/yoga?how=series&series={term.series.id}"
    for path, title, words in (
        ("/b/lotus", "Lotus", "Yoga by the river."),
        ("/b/lotus/yoga", "Yoga – Lotus", "For everybody."),
        (of_series, "Yoga · Mondays – Lotus", "€60.00"),
        (f"/b/lotus/{practice.service.slug}", "Coaching – Lotus", "€60.00"),
    ):
        found = await said(client, path)
        assert found["og:title"] == title
        assert words in found["og:description"]
        assert found["og:url"] == base_url + path
        assert found["twitter:card"] == "summary_large_image"
        with await pictured(client, base_url, found["og:image"]) as picture:
            assert picture.size == (WIDTH, HEIGHT)
            assert (found["og:image:width"], found["og:image:height"]) == ("1200", "630")
            ground, _ink = printed_accent(lotus.tenant.brand_color)
            assert picture.getpixel((4, 4)) == ImageColor.getrgb(ground)
        images.add(found["og:image"])
    assert len(images) == 4


async def test_the_picture_is_sent_once_and_its_address_changes_with_it(
    client: AsyncClient, services: Services, yoga: Service
) -> None:
    base_url = services.settings.base_url
    before = (await said(client, "/b/lotus/yoga"))["og:image"]
    path = before.removeprefix(base_url)
    tag = (await client.get(path)).headers["etag"]
    again = await client.get(path, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get(path, headers={"if-none-match": '"other"'})).status_code == 200
    async with services.uow_factory(yoga.tenant_id) as uow:
        found = await uow.session.get_one(Service, (yoga.tenant_id, yoga.id))
        found.price_minor = 1700
    changed = await client.get(path, headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_what_cannot_be_had_says_so_instead_of_a_price_and_a_date(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    off = await a_service(factory, lotus.id, slug="off", description="For all.", active=False)
    await a_session(factory, off)
    found = await said(client, "/b/lotus/off")
    assert found["og:description"] == f"{not_at_present()} For all."
    assert found["og:image:alt"] == f"Yoga: {not_at_present()}"


async def test_a_series_that_has_begun_says_how_many_dates_its_price_is_for(
    client: AsyncClient, services: Services, yoga: Service
) -> None:
    more = {"first_in_days": -8, "join_policy": "any_time"}
    term = await a_series(services.uow_factory, yoga, sessions=4, **more)
    found = await said(client, f"/b/lotus/yoga?how=series&series={term.series.id}")
    assert "€30.00 · 2 of 4 dates" in found["og:image:alt"]
    whole = await a_series(services.uow_factory, yoga, title="Autumn", sessions=4)
    found = await said(client, f"/b/lotus/yoga?how=series&series={whole.series.id}")
    assert "€60.00 · 4 dates" in found["og:image:alt"]


async def test_of_what_is_hidden_or_kept_there_is_no_picture(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    factory = services.uow_factory
    await a_session(factory, yoga)
    await a_service(factory, lotus.id, slug="secret", visibility="hidden")
    practice = await a_practice(factory, lotus)
    slug = practice.service.slug
    await a_collection(factory, lotus.id, yoga, practice.service)
    for path in ("secret", "yoga", slug, "nothing"):
        assert (await client.get(f"/b/lotus/{path}/share.png")).status_code == 404, path
    carl = await a_customer(factory, lotus.id, established=True)
    await sign_in_portal(client, services, lotus.id, carl)
    for path in ("yoga", slug):
        assert "og:image" not in await said(client, f"/b/lotus/{path}")
        assert (await client.get(f"/b/lotus/{path}/share.png")).status_code == 404, path


async def test_a_hidden_series_lends_its_name_to_no_picture(
    client: AsyncClient, services: Services, yoga: Service
) -> None:
    term = await a_series(services.uow_factory, yoga, title="Mondays", visibility="hidden")
    found = await said(client, f"/b/lotus/yoga?series={term.series.id}")
    assert found["og:title"] == "Yoga – Lotus"
    of_service = await client.get("/b/lotus/yoga/share.png")
    of_hidden = await client.get(f"/b/lotus/yoga/share.png?series={term.series.id}")
    assert of_hidden.headers["etag"] == of_service.headers["etag"]


async def test_collections_and_packages_are_shown_with_the_business(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    await a_collection(services.uow_factory, lotus.id, yoga, title="Menu", established_only=False)
    base_url = services.settings.base_url
    for path in ("/b/lotus/collections/menu", "/b/lotus/packages"):
        found = await said(client, path)
        assert found["og:image"] == f"{base_url}/b/lotus/app/share.png"
        assert found["og:description"]
        with await pictured(client, base_url, found["og:image"]) as picture:
            assert picture.size == (WIDTH, HEIGHT)
