"""What a guest's own page shows, told by the packages that know it: bookings, credits, receipts.

A section is shown below those of a lower `position`; where its query gives None there is nothing
to show, and no heading either.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from src.platform.db.uow import UnitOfWork
from src.tenants.context import RequestContext
from src.tenants.views.portal import PortalGuest

Query = Callable[[UnitOfWork, RequestContext, PortalGuest], Awaitable[Any | None]]


class PortalSection(msgspec.Struct, frozen=True, kw_only=True):
    """`template` gets what `query` gave as `part`, beside the page's own `page` and `view`."""

    name: str
    position: int
    query: Query
    template: str


class ShownSection(msgspec.Struct, frozen=True, kw_only=True):
    """A section with what is in it for one guest."""

    name: str
    template: str
    part: Any


_sections: dict[str, PortalSection] = {}


def register_portal_section(name: str, position: int, query: Query, template: str) -> None:
    """From now on guests' own pages have this section; the same name again replaces it."""
    _sections[name] = PortalSection(name=name, position=position, query=query, template=template)


async def load_portal_sections(
    uow: UnitOfWork, ctx: RequestContext, guest: PortalGuest
) -> list[ShownSection]:
    """All that have something for this guest, from the top."""
    shown = []
    for section in sorted(_sections.values(), key=lambda one: (one.position, one.name)):
        part = await section.query(uow, ctx, guest)
        if part is not None:
            shown.append(ShownSection(name=section.name, template=section.template, part=part))
    return shown
