"""A guest's own two weeks, and what a phone asks for to keep them."""

import io
import json

import pytest
from httpx import AsyncClient
from PIL import Image, ImageColor

from src.booking.commands.cancel import cancel_session
from src.platform.services import Services
from src.platform.web.theme import printed_accent
from tests.booking.web.test_portal import EVE, enter, sold
from tests.support.builders import Business, a_business
from tests.support.visitor import Visitor
from tests.support.work import work

pytestmark = pytest.mark.anyio
WEEK = "/b/lotus/me/week"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def guest(client: AsyncClient) -> Visitor:
    return Visitor(client)


async def test_only_ones_own_dates_of_the_next_two_weeks(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await sold(services, lotus, "yoga", price_type="free", in_days=1)
    await sold(services, lotus, "chess", price_type="free", in_days=40)
    await sold(services, lotus, "pilates", price_type="free", in_days=1, email=EVE)
    await enter(guest, services, lotus)
    headers = (await guest.open(WEEK)).headers
    assert "Yoga" in guest.text
    assert "Chess" not in guest.text, "after these two weeks"
    assert "Pilates" not in guest.text, "somebody else's"
    assert headers["cache-control"] == "private, no-store"
    assert headers["x-made-at"] == services.clock.now().isoformat(timespec="seconds")


async def test_what_is_cancelled_is_gone(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    session = await sold(services, lotus, "yoga", price_type="free", in_days=1)
    await enter(guest, services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, session.id, reason="", undo_seconds=0)
    await work(services, lotus.id)
    await guest.open(WEEK)
    assert "Yoga" not in guest.text
    assert "Nothing is booked in this week." in guest.text


async def test_where_two_weeks_are_empty_the_next_date_is_named(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await sold(services, lotus, "chess", price_type="free", in_days=40)
    await enter(guest, services, lotus)
    await guest.open(WEEK)
    assert "Your next date" in guest.text
    assert "Chess" in guest.text
    await guest.open(f"{WEEK}?weeks=-2")
    assert "Chess" in guest.text, "looking back, it is still the next"


@pytest.mark.parametrize("weeks", ["5", "6"])
async def test_later_weeks_are_a_press_away(
    guest: Visitor, services: Services, lotus: Business, weeks: str
) -> None:
    await sold(services, lotus, "chess", price_type="free", in_days=42)
    await enter(guest, services, lotus)
    await guest.open(f"{WEEK}?weeks={weeks}")
    assert "Chess" in guest.text
    assert "Your next date" not in guest.text


@pytest.mark.parametrize("weeks", ["x", "99999999", "-", "1.5", "٣"])
async def test_what_is_no_number_of_weeks_is_this_one(
    guest: Visitor, services: Services, lotus: Business, weeks: str
) -> None:
    await sold(services, lotus, "yoga", price_type="free", in_days=1)
    await enter(guest, services, lotus)
    await guest.open(f"{WEEK}?weeks={weeks}")
    assert "This week, " in guest.text


async def test_a_stranger_signs_in_first_and_comes_back(guest: Visitor, lotus: Business) -> None:
    shown = await guest.open(WEEK)
    assert guest.path == "/b/lotus/me/sign-in"
    assert f'value="{WEEK}"' in shown.text


async def test_a_phone_installs_it_as_the_business(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    hub = (await client.get("/b/lotus")).text
    assert '<link rel="manifest" href="/b/lotus/app/site.webmanifest">' in hub
    answer = await client.get("/b/lotus/app/site.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    manifest = json.loads(answer.content)
    assert manifest["start_url"] == WEEK
    assert manifest["scope"] == "/b/lotus", "the front page is in it"
    assert manifest["id"] == f"/b/{lotus.id}", "stays when the address changes"
    sizes = {icon["sizes"] for icon in manifest["icons"]}
    assert sizes == {"192x192", "512x512"}
    for icon in manifest["icons"]:
        drawn = await client.get(icon["src"])
        assert drawn.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(drawn.content)) as picture:
            assert f"{picture.width}x{picture.height}" == icon["sizes"]


async def test_an_icon_is_in_the_businesss_colour_and_shows_its_letter(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    drawn = await client.get("/b/lotus/app/icon?size=180")
    ground, ink = printed_accent(lotus.ctx.here.brand_color)
    with Image.open(io.BytesIO(drawn.content)) as picture:
        shown = picture.convert("RGB")
        colours = {colour for _count, colour in shown.getcolors(100_000) or []}
        assert shown.getpixel((0, 0)) == ImageColor.getrgb(ground)
    assert ImageColor.getrgb(ink) in colours


@pytest.mark.parametrize("size", ["1", "100", "4096", "", "x", "192.0"])
async def test_no_other_sizes_are_drawn(client: AsyncClient, lotus: Business, size: str) -> None:
    assert (await client.get(f"/b/lotus/app/icon?size={size}")).status_code == 404


async def test_the_worker_keeps_what_the_page_asks_for(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await sold(services, lotus, "yoga", price_type="free", in_days=1)
    await enter(guest, services, lotus)
    shown = await guest.open(WEEK)
    script = (await guest.client.get("/b/lotus/app/worker.js")).text
    first = script.splitlines()[0]
    kept = json.loads(first.removeprefix("const KEPT = ").removesuffix(";"))
    assert kept["week"] == WEEK
    for address in kept["assets"]:
        assert f'"{address}"' in shown.text, "what the page names, to the letter"
        assert (await guest.client.get(address)).status_code == 200
    assert (await guest.client.get(kept["offline"])).status_code == 200
