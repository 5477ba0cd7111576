"""What a guest's own pages show, told by the packages that know it: bookings, credits, receipts.

A section stands on the first page, below those of a lower `position`; where its query gives None
there is nothing to show, and no heading either. A tab is a page of its own.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.views.portal import PortalGuest


class MenuEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Beside the tabs, what one guest has and another has not; `label` is as it is shown."""

    name: str
    position: int
    label: str
    href: str


class Portal(msgspec.Struct, frozen=True, kw_only=True):
    """Whose pages they are, and at which business; `menu` is what stands among their tabs."""

    guest: PortalGuest
    tenant: TenantSnapshot
    settings: Settings
    menu: tuple[MenuEntry, ...] = ()

    @property
    def path(self) -> str:
        return f"/b/{self.tenant.slug}/me"


Query = Callable[[UnitOfWork, Portal], Awaitable[Any | None]]
MenuQuery = Callable[[UnitOfWork, Portal], Awaitable[list[MenuEntry]]]


class PortalSection(msgspec.Struct, frozen=True, kw_only=True):
    """`template` gets what `query` gave as `part`, beside the page's own `page` and `view`."""

    name: str
    position: int
    query: Query
    template: str


class PortalTab(msgspec.Struct, frozen=True, kw_only=True):
    """`label` is marked for translation; `path` is below the guest's own pages, "" the first."""

    name: str
    position: int
    label: str
    path: str


class ShownSection(msgspec.Struct, frozen=True, kw_only=True):
    """A section with what is in it for one guest."""

    name: str
    template: str
    part: Any


class PortalHead(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above each of the pages; `tabs` are label, address and whether it is this one."""

    name: str
    email: str
    me: str
    tabs: list[tuple[str, str, bool]]


_sections: dict[str, PortalSection] = {}
_tabs: dict[str, PortalTab] = {}
_menus: dict[str, MenuQuery] = {}


def register_portal_section(name: str, position: int, query: Query, template: str) -> None:
    """From now on guests' own pages have this section; the same name again replaces it."""
    _sections[name] = PortalSection(name=name, position=position, query=query, template=template)


def register_portal_tab(name: str, position: int, label: str, path: str) -> None:
    """From now on guests' own pages have this one among them; the same name replaces it."""
    _tabs[name] = PortalTab(name=name, position=position, label=label, path=path)


def register_portal_menu(name: str, query: MenuQuery) -> None:
    """From now on these entries are among the tabs; the same name again replaces it."""
    _menus[name] = query


async def load_portal_menu(uow: UnitOfWork, portal: Portal) -> tuple[MenuEntry, ...]:
    """All entries that this guest has."""
    return tuple([entry for query in _menus.values() for entry in await query(uow, portal)])


async def load_portal_sections(uow: UnitOfWork, portal: Portal) -> list[ShownSection]:
    """All that have something for this guest, from the top."""
    shown = []
    for section in sorted(_sections.values(), key=lambda one: (one.position, one.name)):
        part = await section.query(uow, portal)
        if part is not None:
            shown.append(ShownSection(name=section.name, template=section.template, part=part))
    return shown


def portal_head(portal: Portal, active: str) -> PortalHead:
    """The head of the page that the tab `active` leads to."""
    own = [
        MenuEntry(
            name=tab.name,
            position=tab.position,
            label=_(tab.label),
            href=portal.path + tab.path,
        )
        for tab in _tabs.values()
    ]
    ordered = sorted([*own, *portal.menu], key=lambda one: (one.position, one.name))
    return PortalHead(
        name=portal.guest.name,
        email=portal.guest.email,
        me=portal.path,
        tabs=[(one.label, one.href, one.name == active) for one in ordered],
    )
