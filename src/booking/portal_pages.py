"""What of bookings stands on guests' own pages, and where the pages lead."""

from src.booking.queries.agreements_waiting import find_waiting
from src.booking.queries.guest_groups import MENU as GROUPS
from src.booking.queries.guest_groups import list_groups_menu
from src.booking.queries.own_credits import find_own_credits
from src.booking.queries.own_offerings import find_own_offerings, list_offerings_menu
from src.booking.queries.portal import find_ahead, find_held, find_newest_past, find_off
from src.booking.queries.worksheet_copies import find_sheets_waiting
from src.booking.views.agreements import AgreementsWaiting
from src.booking.views.worksheets import WorksheetsWaiting
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_
from src.tenants.portal_sections import (
    Portal,
    register_portal_menu,
    register_portal_section,
    register_portal_tab,
)

HELD, AGREEMENTS, WORKSHEETS, AHEAD = 10, 12, 14, 20
CREDITS, OFFERINGS, OFF, PAST = 40, 50, 80, 90
"""Where the sections stand; what a guest has besides, such as credits, stands between."""


def register_portal_pages() -> None:
    register_portal_section("held", HELD, find_held, "booking/portal/_held.html")
    register_portal_section(
        "agreements", AGREEMENTS, find_agreements, "booking/portal/_agreements.html"
    )
    register_portal_section(
        "worksheets", WORKSHEETS, find_worksheets, "booking/portal/_worksheets.html"
    )
    register_portal_section("ahead", AHEAD, find_ahead, "booking/portal/_ahead.html")
    register_portal_section("credits", CREDITS, find_own_credits, "booking/portal/_credits.html")
    register_portal_section(
        "offerings", OFFERINGS, find_own_offerings, "booking/portal/_offerings.html"
    )
    register_portal_menu("offerings", list_offerings_menu)
    register_portal_menu(GROUPS, list_groups_menu)
    register_portal_section("off", OFF, find_off, "booking/portal/_off.html")
    register_portal_section("past", PAST, find_newest_past, "booking/portal/_past.html")
    register_portal_tab("bookings", 10, N_("Bookings"), "")
    register_portal_tab("week", 20, N_("My week"), "/week")
    register_portal_tab("receipts", 50, N_("Payments"), "/receipts")
    register_portal_tab("agreements", 60, N_("Agreements"), "/agreements")
    register_portal_tab("worksheets", 65, N_("Worksheets"), "/worksheets")
    register_portal_tab("profile", 90, N_("Profile"), "/profile")


async def find_agreements(uow: UnitOfWork, portal: Portal) -> AgreementsWaiting | None:
    """How many wait for this guest's signature; nothing where none does."""
    waiting = await find_waiting(uow, portal.guest.customer_id)
    return AgreementsWaiting(len(waiting), f"{portal.path}/agreements") if waiting else None


async def find_worksheets(uow: UnitOfWork, portal: Portal) -> WorksheetsWaiting | None:
    """What this guest is still to fill in; nothing where nothing is."""
    return await find_sheets_waiting(uow, portal.guest.customer_id, f"{portal.path}/worksheets")
