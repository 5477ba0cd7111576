"""A coupon in a booking that a program makes."""

import pytest

from src.platform.services import Services
from tests.booking.api.conftest import Program
from tests.support.builders import Business, a_series, a_service
from tests.support.coupons import a_coupon, uses

pytestmark = pytest.mark.anyio

CARL = {"guest_name": "Carl", "guest_email": "carl@example.com"}


@pytest.fixture
async def wish(services: Services, lotus: Business) -> dict[str, object]:
    """A series of EUR 60 that is paid on site."""
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="on_site")
    return {"kind": "series", "id": str(term.series.id), **CARL}


async def test_a_program_books_with_a_coupon_once_however_often_it_sends(
    program: Program, services: Services, lotus: Business, wish: dict[str, object]
) -> None:
    await a_coupon(services.uow_factory, lotus.id, max_uses=1)
    body = {**wish, "coupon": "spring", "expected_total_minor": 5400}
    made = await program.post("/bookings", body, key="order-1")
    assert made.status_code == 201
    assert made.json()["total"]["amount_minor"] == 5400
    assert made.json()["discount"]["amount_minor"] == 600
    again = await program.post("/bookings", body, key="order-1")
    assert again.json()["id"] == made.json()["id"]
    shown = (await program.get(f"/bookings/{made.json()['id']}")).json()
    assert sum(seat["share_minor"] for seat in shown["seats"]) == 5400
    assert shown["discount"]["amount_minor"] == 600
    assert await uses(services.uow_factory, lotus.id) == 1


async def test_one_that_cannot_be_used_is_refused_at_its_field(
    program: Program, services: Services, lotus: Business, wish: dict[str, object]
) -> None:
    await a_coupon(services.uow_factory, lotus.id, max_uses=1, used=1)
    spent = await program.post("/bookings", {**wish, "coupon": "SPRING"})
    unknown = await program.post("/bookings", {**wish, "coupon": "NOSUCH"})
    for refused in (spent, unknown):
        assert refused.status_code == 422
        assert set(refused.json()["errors"]) == {"coupon"}
    assert spent.json()["errors"]["coupon"] == "This code cannot be used for this booking."
    assert unknown.json()["errors"]["coupon"].startswith("We do not know this code.")
    free = await program.post("/bookings", wish)
    assert (free.status_code, free.json()["discount"]["amount_minor"]) == (201, 0)
