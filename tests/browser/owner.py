"""What an owner does, step by step, in the words of the pages."""

from datetime import date

from tests.browser.person import Person
from tests.support.letters import link_in, the_mail
from tests.support.timetables import a_timetable

PASSWORD = "a lotus opens every morning"


def signs_up(owner: Person, business: str, slug: str, email: str) -> None:
    owner.go("/sign-up")
    owner.type(business_name=business, slug=slug, name="Olive Owner", email=email)
    owner.type(password=PASSWORD)
    owner.press("Set up my business")
    owner.sees("Look into your mail")
    mail = the_mail(owner.program, email, "")
    owner.go(link_in(mail, "/confirm-email/"))
    owner.is_at(f"/app/{slug}/start")
    owner.sees("Your e-mail address is confirmed.")


def connects_payments(owner: Person, slug: str) -> None:
    owner.go(f"/app/{slug}/payments")
    owner.press("Connect Stripe")
    owner.press("Finish onboarding")
    owner.is_at(f"/app/{slug}/payments")
    owner.sees("You can take payments")


def makes_service(
    owner: Person, slug: str, name: str, price: str = "", price_type: str = "online"
) -> str:
    """Returns the path of its sessions."""
    owner.go(f"/app/{slug}/services/new")
    owner.type(name=name, description=f"{name} for everybody.")
    owner.choose(price_type=price_type, sales_mode="single")
    if price:
        owner.type(price=price)
    owner.press("Save service")
    owner.is_at("/services/[0-9a-f-]{36}/sessions$")
    return owner.page.url.removeprefix(owner.program.base_url)


def publishes_by_hand(owner: Person, sessions: str, day: date, title: str) -> None:
    owner.go(f"{sessions}/new")
    owner.type(starts_at=f"{day.isoformat()}T10:00", ends_at=f"{day.isoformat()}T11:00")
    owner.type(title=title, capacity="8")
    owner.press("Publish session")
    owner.is_at(f"{sessions}$|/sessions/[0-9a-f-]+$")
    owner.sees(title)


def repeats(owner: Person, sessions: str, start: date, dates: int, title: str) -> None:
    """One date more than wanted is in the preview; the last is unticked."""
    owner.go(f"{sessions}/repeat")
    weekday = owner.page.locator(f"main input[name=weekdays][value='{start.weekday()}']")
    for ticked in owner.page.locator("main input[name=weekdays]:checked").all():
        ticked.uncheck(force=True)
    weekday.check(force=True)
    owner.type(start_time="18:00", start_on=start.isoformat(), count=str(dates + 1))
    owner.type(title_pattern=title)
    owner.press("Look at the dates")
    owner.sees("Untick what should not take place")
    boxes = owner.page.locator("main input[name=ticked]:enabled")
    assert boxes.count() == dates + 1
    boxes.last.uncheck()
    owner.press("Publish the ticked dates")
    owner.is_at(f"{sessions}$")
    owner.page.go_back()
    owner.sees("Untick what should not take place")
    owner.page.go_forward()
    owner.is_at(f"{sessions}$")


def imports(owner: Person, sessions: str, first: date) -> None:
    owner.go(f"{sessions.removesuffix('/sessions')}/import")
    owner.page.set_input_files(
        "input[type=file]",
        {"name": "hall.ics", "mimeType": "text/calendar", "buffer": a_timetable(first)},
    )
    owner.press("See what would happen")
    owner.sees("What would happen")
    owner.sees("Candlelight")
    owner.follow("Refused")
    owner.sees("Ends before it starts")
    owner.press("Publish 3 sessions")
    owner.is_at("/sessions$")


def bundles(owner: Person, sessions: str, title: str, price: str, dates: int) -> str:
    """Those of the rhythm with so many dates become a series. Returns its path."""
    owner.go(f"{sessions.removesuffix('/sessions')}/series/new")
    owner.type(title=title, price=price)
    owner.choose(price_type="online", join_policy="any_time")
    owner.press(f"All {dates} on")
    owner.sees("Dates of the series")
    assert owner.page.locator("main input[name=session_ids]:checked").count() == dates
    owner.press("Save series")
    owner.sees("It is not on sale yet")
    return owner.page.url.removeprefix(owner.program.base_url)


def sells_both_ways(owner: Person, sessions: str) -> None:
    owner.go(f"{sessions.removesuffix('/sessions')}/edit")
    owner.choose(sales_mode="both")
    owner.press("Save service")
    owner.is_at("/services$")
    owner.sees("Single dates and series")
