"""By what guests may pay: an owner chooses, and the payment page has it."""

from typing import Any

import pytest

from src.billing.models import PaymentSettings
from src.billing.queries.payment_settings import find_payment_settings
from src.billing.settlement import settle_page
from src.tenants.domain.roles import Role
from tests.billing.web.conftest import Desk
from tests.support.builders import a_member
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio

ACCOUNT = {"holder": "Harbour Yoga", "iban": "GB29 NWBK 6016 1331 9268 19", "days": "7"}


async def kept(desk: Desk) -> PaymentSettings | None:
    async with desk.till.services.uow_factory(desk.business.id) as uow:
        return await find_payment_settings(uow)


async def send(desk: Desk, path: str, ending: str, **typed: Any) -> Any:
    """Opens the page and sends its form to that ending; the answer is not followed."""
    page = await desk.visitor.open(path)
    form = next(one for one in forms_of(page) if one.action.endswith(ending))
    return await desk.visitor.client.post(form.action, data=form.filled(typed))


async def test_a_method_that_was_chosen_is_on_the_page_and_in_words_on_the_order(
    desk: Desk,
) -> None:
    page = await desk.visitor.open("/app/harbour/payments")
    assert "PayPal" in page.text
    assert "iDEAL" not in page.text
    sent = await send(desk, "/app/harbour/payments", "/methods", methods=["paypal", "link"])
    assert sent.status_code == 303
    order_id, session_id = await desk.till.order_with_page()
    (session,) = await desk.till.stripe_objects("checkout.session")
    assert session["payment_method_types"] == ["card", "link", "paypal"]
    await desk.till.pay(session_id, method="paypal")
    page_id = await desk.till.page_id(order_id)
    await settle_page(desk.till.services, desk.business.id, page_id)
    (payment,) = await desk.till.payments(order_id)
    assert (payment.method, (await desk.till.state(order_id)).state) == ("paypal", "confirmed")
    shown = await desk.visitor.open(f"/app/harbour/orders/{order_id}")
    assert "PayPal" in shown.text


async def test_what_does_not_fit_the_currency_is_refused_and_nothing_kept(desk: Desk) -> None:
    sent = await send(desk, "/app/harbour/payments", "/methods", methods=["ideal"])
    assert sent.status_code == 422
    assert "Please choose among the given ways to pay." in sent.text
    assert await kept(desk) is None


async def test_an_owner_takes_transfers_and_stops(desk: Desk) -> None:
    here = "/app/harbour/payments/transfer"
    sent = await send(desk, here, "/transfer", **ACCOUNT)
    assert sent.status_code == 303
    found = await kept(desk)
    assert found is not None
    assert (found.takes_transfers, found.iban) == (True, "GB29NWBK60161331926819")
    assert "GB29 NWBK 6016 1331 9268 19" in (await desk.visitor.open("/app/harbour/payments")).text
    await send(desk, here, "/stop")
    found = await kept(desk)
    assert found is not None
    assert (found.takes_transfers, found.holder) == (False, "Harbour Yoga")


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("iban", "GB29NWBK60161331926818"),
        ("bic", "NOBIC"),
        ("days", "1"),
        ("days", "soon"),
        ("lead_days", "0"),
        ("holder", ""),
    ],
)
async def test_what_is_wrong_with_an_account_is_said_at_its_field(
    desk: Desk, field: str, typed: str
) -> None:
    sent = await send(
        desk, "/app/harbour/payments/transfer", "/transfer", **{**ACCOUNT, field: typed}
    )
    assert sent.status_code == 422
    assert f'id="f-{field}-error"' in sent.text
    assert f'value="{typed}"' in sent.text
    assert await kept(desk) is None


async def test_only_owners_choose(desk: Desk) -> None:
    mia = await a_member(desk.till.services.uow_factory, desk.business, "Mia", Role.MANAGER)
    assert mia.actor.user_id is not None
    await desk.enter(mia.actor.user_id)
    for path in ("/app/harbour/payments/transfer", "/app/harbour/payments"):
        assert (await desk.visitor.client.get(path)).status_code == 403
