"""What packages put on guests' own pages stands in order, and not at all where there is nothing."""

from typing import Any

import msgspec
import pytest

from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants import portal_sections
from src.tenants.portal_sections import (
    MenuEntry,
    Portal,
    load_portal_menu,
    load_portal_sections,
    portal_head,
    register_portal_menu,
    register_portal_section,
    register_portal_tab,
)
from src.tenants.views.portal import PortalGuest
from tests.support.builders import a_business

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_sections, "_sections", {})
    monkeypatch.setattr(portal_sections, "_tabs", {})
    monkeypatch.setattr(portal_sections, "_menus", {})


async def test_sections_stand_by_position_and_tabs_lead_below(services: Services) -> None:
    lotus = await a_business(services.uow_factory)
    guest = PortalGuest(customer_id=new_id(), email="carl@example.com", name="Carl")
    portal = Portal(guest=guest, tenant=lotus.tenant, settings=services.settings)

    async def name(_uow: Any, asked: Portal) -> str:
        return asked.guest.name

    async def nothing(_uow: Any, _asked: Portal) -> None:
        return None

    register_portal_section("past", 90, name, "past.html")
    register_portal_section("credits", 30, nothing, "credits.html")
    register_portal_section("ahead", 20, nothing, "ahead.html")
    register_portal_section("ahead", 20, name, "ahead.html")
    async with services.uow_factory(lotus.id) as uow:
        shown = await load_portal_sections(uow, portal)
    assert [(one.name, one.template, one.part) for one in shown] == [
        ("ahead", "ahead.html", "Carl"),
        ("past", "past.html", "Carl"),
    ]
    register_portal_tab("profile", 90, "Profile", "/profile")
    register_portal_tab("bookings", 10, "Bookings", "")
    assert portal_head(portal, "profile").tabs == [
        ("Bookings", "/b/lotus/me", False),
        ("Profile", "/b/lotus/me/profile", True),
    ]


async def test_what_one_guest_has_stands_among_the_tabs_by_position(services: Services) -> None:
    lotus = await a_business(services.uow_factory)
    guest = PortalGuest(customer_id=new_id(), email="carl@example.com", name="Carl")
    portal = Portal(guest=guest, tenant=lotus.tenant, settings=services.settings)

    async def entries(_uow: Any, asked: Portal) -> list[MenuEntry]:
        own = MenuEntry(name="own", position=20, label=asked.guest.name, href="/b/lotus/own")
        return [own]

    register_portal_tab("first", 10, "First", "")
    register_portal_tab("last", 90, "Last", "/last")
    register_portal_menu("own", entries)
    async with services.uow_factory(lotus.id) as uow:
        menu = await load_portal_menu(uow, portal)
    shown = portal_head(msgspec.structs.replace(portal, menu=menu), "own")
    assert shown.tabs == [
        ("First", "/b/lotus/me", False),
        ("Carl", "/b/lotus/own", True),
        ("Last", "/b/lotus/me/last", False),
    ]
