"""A voucher from the owner's settings to its money back: bought, mailed with a page to print, spent
beside a card, and on it again when a date is left.
"""

import base64
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from src.booking.domain.leaving import LeavingTerms, Tier
from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, Term, a_series, a_service
from tests.support.letters import link_in, the_mail
from tests.support.program import Program, eventually
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ALL_BACK = LeavingTerms(tiers=(Tier(before=24, percent=100),))
BALANCE = "SELECT balance_minor FROM vouchers WHERE tenant_id = $1"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_voucher_from_the_shop_to_its_money_back(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "nightjar" if scripts else "lark")
    term = a_term_of_three(program, business)
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    the_owner_sells_vouchers(owner, business)
    code, own = bea_buys_one_for_dora(program, person(PHONE, java_script_enabled=scripts), business)
    dora = person(PHONE, java_script_enabled=scripts)
    dora_spends_it_and_pays_the_rest(dora, business, term, code)
    booked = g.is_booked(dora)
    assert left_on_it(program, business) == 0
    dora.go(own)
    dora.sees("Used up")
    dora.looks()
    dora_leaves_a_date(dora, booked, term)
    eventually(lambda: left_on_it(program, business) == 2000, "the money on the voucher again")
    dora.go(own)
    dora.sees("€20.00")
    dora.sees("Came back")
    dora.looks()
    the_owner_looks_after_it(owner, business, code)


def left_on_it(program: Program, business: Business) -> int:
    (row,) = program.rows(BALANCE, business.id)
    balance: int = row["balance_minor"]
    return balance


def a_term_of_three(program: Program, business: Business) -> Term:
    async def stage(services: Services) -> Term:
        service = await a_service(services.uow_factory, business.id)
        return await a_series(services.uow_factory, service, leaving=ALL_BACK.document())

    found: Term = program.run(stage)
    return found


def the_owner_sells_vouchers(owner: Person, business: Business) -> None:
    owner.go(f"/app/{business.slug}/vouchers")
    owner.sees("Guests cannot buy vouchers yet.")
    owner.looks()
    owner.follow("Settings")
    owner.page.get_by_label("Guests can buy vouchers").check()
    owner.type(least="10", most="200", words="Good for all our courses.")
    owner.looks()
    owner.press("Save")
    owner.page.get_by_text("Saved.").first.wait_for()


def bea_buys_one_for_dora(program: Program, bea: Person, business: Business) -> tuple[str, str]:
    """Returns the code and the path of the voucher's own page, both out of Dora's mail."""
    bea.go(f"/b/{business.slug}/vouchers")
    bea.looks()
    own, theirs = bea.page.get_by_label("Your amount"), bea.page.get_by_label("Their e-mail")
    bea.choose(amount="own", to="me")
    expect(own).to_be_visible()
    expect(theirs).to_be_hidden()
    bea.choose(amount="5000", to="other")
    expect(own).to_be_hidden()
    bea.type(recipient_name="Dora", message="Happy birthday!", name="Bea Buyer")
    bea.type(email=f"bea@{business.slug}.example")
    bea.press("Continue to payment")
    bea.sees("Where shall we send it?")
    bea.looks()
    bea.type(recipient_email=f"dora@{business.slug}.example")
    bea.press("Continue to payment")
    g.pays(bea, g.WORKS)
    bea.is_at("/vouchers/bought/")
    bea.sees("is paid")
    bea.looks()
    mail = the_mail(program, f"dora@{business.slug}.example", "Bea Buyer gives you a voucher")
    found = re.search(r"Code: ((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4})", mail["text"])
    assert found, mail["text"]
    (file,) = mail["attachments"]
    assert file["filename"].endswith(".pdf")
    assert base64.b64decode(file["content"]).startswith(b"%PDF")
    the_mail(program, f"bea@{business.slug}.example", "You bought a voucher")
    return found.group(1), link_in(mail, "/b/")


def dora_spends_it_and_pays_the_rest(
    dora: Person, business: Business, term: Term, code: str
) -> None:
    dora.go(f"/b/{business.slug}/yoga/book?series={term.series.id}")
    g.fills_in(dora, "Dora", f"dora@{business.slug}.example")
    dora.type(coupon="SPRING")
    dora.press("Apply")
    dora.sees("We do not know this code. Check it for typing mistakes.")
    dora.type(coupon=code.lower())
    dora.press("Apply")
    dora.sees(f"Voucher •••• {code[-4:]}")
    dora.sees("Pay €10.00")
    dora.looks()
    dora.press("Pay €10.00")
    g.pays(dora, g.WORKS)


def dora_leaves_a_date(dora: Person, booked: str, term: Term) -> None:
    dora.go(booked)
    dora.sees("Of it by voucher")
    dora.looks()
    dora.page.locator(f"main a[href$='/leave?date={term.sessions[0].id}']").click()
    dora.press("Cancel this date")
    dora.page.get_by_text("It is cancelled.").wait_for()


def the_owner_looks_after_it(owner: Person, business: Business, code: str) -> None:
    owner.go(f"/app/{business.slug}/vouchers?q={code[-4:]}")
    owner.looks()
    owner.follow(f"•••• {code[-4:]}")
    owner.sees("Came back")
    owner.looks()
    owner.type(amount="5", reason="For your patience")
    owner.press("Change the balance")
    owner.sees("€25.00")
    owner.press("Block it")
    owner.sees("Whoever has its code cannot pay with it.")
    owner.looks()
    owner.go(f"/app/{business.slug}/vouchers/new")
    owner.looks()
