"""Codes for packages and for nothing else, and codes that are good for no package."""

from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.billing.domain.coupons import unknown_code
from src.billing.domain.vouchers import masked
from src.billing.models import Coupon, Order
from src.platform.errors import InvalidInput
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.conftest import Shop, rows, subject
from tests.booking.web.pages import as_owner, fields_of, send
from tests.booking.web.test_place_package import buy, wish
from tests.support.builders import a_business, a_service, a_session
from tests.support.coupons import a_coupon
from tests.support.credits import a_package
from tests.support.vouchers import a_voucher

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/coupons"


async def test_a_code_for_packages_takes_off_there_and_nowhere_else(shop: Shop) -> None:
    factory, here = shop.services.uow_factory, shop.business
    package = await a_package(factory, here.id)
    session = await a_session(factory, await a_service(factory, here.id))
    await a_coupon(factory, here.id, scope="all_packages")
    await buy(shop, wish(package.id, coupon="SPRING", quoted_minor=10_800))
    (order,) = await rows(shop, Order)
    assert order.discount_minor == 1200
    with pytest.raises(InvalidInput, match="for something else"):
        await booked(factory, here, a_wish("session", session.id, coupon="SPRING"))
    assert "Coupon or voucher code" not in (
        (await shop.guest.open(subject("session", session.id))).text
    ), "nobody is asked for a code that there is none of"


async def test_a_code_for_every_booking_is_for_no_package(shop: Shop) -> None:
    factory, here = shop.services.uow_factory, shop.business
    package = await a_package(factory, here.id)
    session = await a_session(factory, await a_service(factory, here.id))
    await a_coupon(factory, here.id, scope="all_bookings")
    with pytest.raises(InvalidInput, match="for something else"):
        await buy(shop, wish(package.id, coupon="SPRING"))
    assert (
        "Coupon or voucher code"
        not in (await shop.guest.open(f"/b/lotus/packages/{package.id}")).text
    )
    made = await booked(factory, here, a_wish("session", session.id, coupon="SPRING"))
    assert made.order.discount_minor == 150


async def test_two_codes_for_a_package_are_one_too_many(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await a_coupon(shop.services.uow_factory, shop.business.id)
    with pytest.raises(
        InvalidInput, match=r"One code at a time, please: “A-1” or “spring2”\."
    ) as no:
        await buy(shop, wish(package.id, coupon="A-1 spring2"))
    assert list(no.value.fields) == ["coupon"]


async def test_who_was_shown_a_packages_price_reads_that_the_code_was_used_up(shop: Shop) -> None:
    factory, here = shop.services.uow_factory, shop.business
    package = await a_package(factory, here.id)
    await a_coupon(factory, here.id, max_uses=1, used=1)
    with pytest.raises(InvalidInput, match="used up in the meantime"):
        await buy(shop, wish(package.id, coupon="SPRING", quoted_minor=10_800))
    with pytest.raises(InvalidInput, match="cannot be used for this package"):
        await buy(shop, wish(package.id, coupon="SPRING", quoted_minor=12_000))


async def test_a_code_for_one_package_is_not_for_another(shop: Shop) -> None:
    factory, here = shop.services.uow_factory, shop.business
    first, second = [await a_package(factory, here.id, name=name) for name in ("Ten", "Five")]
    await a_coupon(factory, here.id, scope="packages", scope_ids=[str(first.id)])
    with pytest.raises(InvalidInput) as refused:
        await buy(shop, wish(second.id, coupon="SPRING"))
    assert list(refused.value.fields) == ["coupon"]
    await buy(shop, wish(first.id, coupon="SPRING", quoted_minor=10_800))


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("all_packages", "Every package · packages of €30.00 or more"),
        ("all_bookings", "Every booking, no package · bookings of €30.00 or more"),
        ("packages", "10 sessions · packages of €30.00 or more"),
    ],
)
async def test_an_owner_says_which_and_reads_it(
    client: AsyncClient, services: Services, scope: str, said: str
) -> None:
    lotus = await a_business(services.uow_factory)
    package = await a_package(services.uow_factory, lotus.id)
    await a_package(services.uow_factory, lotus.id, name="Given back", purpose="refund")
    await as_owner(client, services, lotus)
    typed: dict[str, Any] = {"code": "TEN", "percent": "10", "min_spend": "30", "scope": scope}
    if scope == "packages":
        typed["package_ids"] = str(package.id)
    answer = await send(client, f"{HOME}/new", typed)
    assert answer.status_code == 303, answer.text
    assert said in (await client.get(HOME)).text
    editor = await client.get(f"{answer.headers['location']}/edit")
    assert "Given back" not in editor.text
    assert fields_of(editor)["scope"] == [scope]
    assert fields_of(editor).get("package_ids", []) == (
        [str(package.id)] if scope == "packages" else []
    )


async def test_chosen_packages_are_chosen_and_ones_own(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory)
    other = await a_business(services.uow_factory, "other", owner="Eve")
    await a_package(services.uow_factory, lotus.id)
    theirs = await a_package(services.uow_factory, other.id)
    await as_owner(client, services, lotus)
    typed = {"code": "TEN", "percent": "10", "scope": "packages"}
    for more in ({}, {"package_ids": str(theirs.id)}):
        answer = await send(client, f"{HOME}/new", {**typed, **more})
        assert answer.status_code == 422
        assert 'id="f-package_ids-error"' in answer.text
    async with services.uow_factory(lotus.id) as uow:
        assert (await uow.session.scalars(select(Coupon))).all() == []


async def test_an_owner_reads_why_a_code_does_not_work_for_a_package(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory)
    other = await a_business(services.uow_factory, "other", owner="Eve")
    package = await a_package(services.uow_factory, lotus.id)
    theirs = await a_package(services.uow_factory, other.id)
    await as_owner(client, services, lotus)
    coupon = await a_coupon(services.uow_factory, lotus.id, scope="all_bookings")
    here = f"{HOME}/{coupon.id}?what=package:"
    shown = (await client.get(here + str(package.id))).text
    assert f'value="package:{package.id}" selected' in shown
    assert "It is not for this offer." in shown
    assert (await client.get(here + str(theirs.id))).status_code == 404
    for nonsense in ("", "nobody", "%00"):
        assert (await client.get(here + nonsense)).status_code == 200


async def test_a_wrong_code_is_refused_for_the_package(shop: Shop) -> None:
    factory, here = shop.services.uow_factory, shop.business
    package = await a_package(factory, here.id)
    await a_coupon(factory, here.id, scope="all_packages")
    await shop.guest.open(f"/b/lotus/packages/{package.id}")
    shown = await shop.send(step="update", coupon="AUTUMN")
    assert unknown_code() in shown.text
    refused = await shop.send(step="buy", coupon="AUTUMN")
    assert refused.status_code == 422
    assert unknown_code() in refused.text
    await a_coupon(factory, here.id, "SPENT", scope="all_packages", max_uses=1, used=1)
    spent = await shop.send(step="update", coupon="SPENT")
    assert "This code cannot be used for this package." in spent.text
    assert "for this booking" not in spent.text


async def test_a_code_typed_or_exchanged_is_no_changed_price_of_a_package(shop: Shop) -> None:
    factory, here = shop.services.uow_factory, shop.business
    package = await a_package(factory, here.id)
    await a_coupon(factory, here.id, scope="all_packages")
    await a_coupon(factory, here.id, "SUMMER", scope="all_packages", percent=20)
    await shop.guest.open(f"/b/lotus/packages/{package.id}")
    typed = await shop.send(coupon="SPRING", step="buy")
    assert typed.status_code == 409
    assert "Code SPRING takes €12.00 off. Please look again." in typed.text
    shop.guest.page = typed
    swapped = await shop.send(coupon="SUMMER", step="buy")
    assert swapped.status_code == 409
    assert "Code SUMMER takes €24.00 off. Please look again." in swapped.text
    assert "The price has changed" not in swapped.text
    assert 'class="notice tone-error' not in swapped.text
    shop.guest.page = swapped
    async with factory(here.id) as uow:
        await uow.session.execute(update(Coupon).values(percent=30))
    changed = await shop.send(coupon="SUMMER", step="buy")
    assert "Code SUMMER takes €36.00 off. Please look again." in changed.text
    assert await rows(shop, Order) == []


async def test_a_voucher_in_the_place_of_a_coupon_says_that_only_one_of_them_goes(
    shop: Shop,
) -> None:
    """For a package, without scripts."""
    factory, here = shop.services.uow_factory, shop.business
    package = await a_package(factory, here.id)
    await a_coupon(factory, here.id, scope="all_packages")
    voucher = await a_voucher(factory, here.id, minor=1000)
    await shop.guest.open(f"/b/lotus/packages/{package.id}")
    shop.guest.page = await shop.send(coupon="SPRING", step="update")
    assert "One code at a time" not in shop.guest.page.text
    shop.guest.page = await shop.send(coupon="spring", step="update")
    assert "One code at a time" not in shop.guest.page.text, "it is the same one"
    swapped = (await shop.send(coupon=voucher.code, step="update")).text
    said = f"“Voucher {masked(voucher.code)}” is used in place of “Code SPRING”."
    assert f"One code at a time: {said}" in swapped


async def test_a_good_code_that_a_wrong_one_was_typed_over_is_said_to_be_gone(shop: Shop) -> None:
    factory, here = shop.services.uow_factory, shop.business
    package = await a_package(factory, here.id)
    await a_coupon(factory, here.id, scope="all_packages")
    await shop.guest.open(f"/b/lotus/packages/{package.id}")
    shop.guest.page = await shop.send(coupon="SPRING", step="update")
    gone = "“Code SPRING” is not used any more. Type it again to have it."
    shop.guest.page = await shop.send(coupon="SPRNG", step="update")
    assert gone in shop.guest.page.text
    shop.guest.page = await shop.send(coupon="SPRNG", step="update")
    assert gone not in shop.guest.page.text, "once is enough"
    shop.guest.page = await shop.send(coupon="SPRING", step="update")
    taken_out = await shop.send(coupon="", step="update")
    assert "is not used any more" not in taken_out.text, "it was taken out on purpose"
