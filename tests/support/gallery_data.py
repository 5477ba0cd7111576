"""Sample views for the gallery: a yoga studio, a term of classes, a handful of orders."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as View
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

ZONE = ZoneInfo("Europe/Amsterdam")
START_AT = datetime(2027, 1, 12, 17, 30, tzinfo=UTC)
ERROR_STATUSES = (400, 402, 403, 404, 409, 410, 422, 429, 500, 503)


class SampleForm:
    """A form as the field macros see it."""

    def __init__(
        self,
        values: dict[str, Any],
        errors: dict[str, str] | None = None,
        form_error: str | None = None,
    ) -> None:
        self._values = values
        self.errors = errors or {}
        self.form_error = form_error

    def value(self, name: str) -> str:
        return str(self._values.get(name, ""))

    def values(self, name: str) -> list[str]:
        found = self._values.get(name, [])
        return [str(item) for item in found] if isinstance(found, list) else [str(found)]

    def error(self, name: str) -> str | None:
        return self.errors.get(name)


def business() -> View:
    return View(name="Studio Noord", slug="studio-noord", logo_url=None)


def user(admin: bool = False) -> View:
    others = [
        View(name="Studio Noord", slug="studio-noord"),
        View(name="Kade Climbing", slug="kade"),
    ]
    return View(
        name="Olive Brandt",
        email="olive@example.com",
        is_platform_admin=admin,
        businesses=others,
    )


def nav(active: str) -> list[View]:
    base = "/app/studio-noord"
    items = [
        ("Today", base, "sun"),
        ("Services", f"{base}/services", "layout-grid"),
        ("Series", f"{base}/series", "layers"),
        ("Orders", f"{base}/orders", "receipt"),
        ("Getting paid", f"{base}/payments", "wallet"),
        ("Plan", f"{base}/plan", "gauge"),
        ("Settings", f"{base}/settings", "settings"),
    ]
    return [
        View(label=label, href=href, icon=icon, active=label == active)
        for label, href, icon in items
    ]


def admin_nav(active: str) -> list[View]:
    items = [
        ("Plans", "/admin/plans", "layers"),
        ("Tenants", "/admin/tenants", "building-2"),
        ("Requests", "/admin/requests", "inbox"),
    ]
    return [
        View(label=label, href=href, icon=icon, active=label == active)
        for label, href, icon in items
    ]


def page(**changes: Any) -> View:
    values: dict[str, Any] = {
        "locale": "en-GB",
        "csrf_token": "sample",
        "csrf_input": Markup('<input type="hidden" name="_csrf_token" value="sample">'),
        "flashes": [],
        "path": "/",
        "tenant": None,
        "user": None,
        "nav": [],
        "banner": None,
        "theme_href": None,
        "is_htmx": False,
        "found_again_at": None,
        "asset": lambda path: f"static/{path}",
    }
    return View(**(values | changes))


def owner_page(active: str, **changes: Any) -> View:
    banner = View(
        text="Your Growth trial ends on Sunday 24 January 2027.",
        tone="info",
        href="/app/studio-noord/plan",
        label="See the plans",
    )
    values = {"tenant": business(), "user": user(), "nav": nav(active), "banner": banner}
    return page(**(values | changes))


def dates(count: int) -> list[View]:
    return [
        View(
            title="Last one, with tea" if week == count - 1 else "",
            starts_at=START_AT + timedelta(weeks=week),
            ends_at=START_AT + timedelta(weeks=week, minutes=75),
        )
        for week in range(count)
    ]


def orders() -> list[View]:
    rows = [
        ("SN-1042", "Carl Ödegaard", "Slow flow, spring term", 14400, "Paid", "success"),
        ("SN-1041", "Anna Wiśniewska", "Slow flow, spring term", 14400, "Pay on site", "warning"),
        ("SN-1040", "Bram van der Meer", "Open studio, 14 January", 1850, "Refunded", "muted"),
        (
            "SN-1039",
            "Josephine Castellanos-Whitworth",
            "Slow flow, spring term",
            14400,
            "Card declined",
            "error",
        ),
    ]
    return [
        View(number=n, name=who, what=what, total_minor=total, state=state, tone=tone)
        for n, who, what, total, state, tone in rows
    ]


def plans() -> list[View]:
    rows = [
        (
            "Free",
            "To try it on your own",
            0,
            0,
            ["30 bookings a month", "1 member"],
            ["Appointments"],
        ),
        (
            "Starter",
            "One person, one calendar",
            1900,
            19000,
            ["200 bookings a month", "3 members"],
            ["Appointments"],
        ),
        (
            "Growth",
            "Classes, courses and groups",
            4900,
            49000,
            ["1,000 bookings a month", "10 members"],
            ["Appointments", "Group services", "Series", "Coupons and packages", "Waiting lists"],
        ),
        (
            "Scale",
            "Several places, many people",
            12900,
            129000,
            ["Bookings without limit", "Members without limit"],
            ["Everything in Growth", "Subscriptions", "Automatic refunds"],
        ),
    ]
    return [
        View(
            name=name,
            summary=summary,
            monthly_minor=monthly_minor,
            yearly_minor=yearly_minor,
            currency="EUR",
            trial_days=14 if name == "Growth" else 0,
            limits=limits,
            features=features,
            is_highlighted=name == "Growth",
        )
        for name, summary, monthly_minor, yearly_minor, limits, features in rows
    ]


def broken_form() -> SampleForm:
    typed = {
        "name": "Slow flow",
        "email": "carl@example",
        "price": "12,5O",
        "weekdays": ["1", "3"],
        "mode": "both",
        "colour": "nl",
        "terms": "",
        "starts_at": "2027-03-28T02:30",
    }
    errors = {
        "email": "This is not a whole e-mail address. Is something missing after “example”?",
        "price": "“12,5O” is not an amount. Write it like 12,50.",
        "starts_at": "The clocks go forward that night: 02:30 does not exist on 28 March 2027.",
        "terms": "Please read and accept the house rules to book.",
    }
    return SampleForm(typed, errors)


def error_context(status: int) -> dict[str, Any]:
    error = View(status=status, message=None, request_id="0193f2c4", code="sample")
    return {"page": page(), "error": error}


def page_contexts() -> dict[str, tuple[str, dict[str, Any]]]:
    """Gallery page -> its template and what it is rendered with."""
    flash = View(level="success", text="Saved. Guests see the new price from now on.")
    guest = page(tenant=business(), theme_href="theme.css")
    shared = {"zone": ZONE, "dates": dates(10), "hold_until_at": START_AT, "plans": plans()}
    home_view = View(plans=plans(), trial_days=14, trial_plan="Growth")
    filled = {"form": SampleForm({"email": "olive@example.com", "mode": "series"})}
    return {
        "parts": ("parts.html", shared | {"page": owner_page("Today", flashes=[flash])}),
        "form": ("form.html", {"page": owner_page("Services"), "form": broken_form()}),
        "orders": ("orders.html", shared | {"page": owner_page("Orders"), "orders": orders()}),
        "hub": ("hub.html", shared | {"page": guest}),
        "booking": ("booking.html", shared | filled | {"page": guest}),
        "signin": ("signin.html", filled | {"page": page()}),
        "admin": ("admin.html", shared | {"page": page(user=user(True), nav=admin_nav("Plans"))}),
        "home": ("public/home.html", {"page": page(), "view": home_view}),
    }
