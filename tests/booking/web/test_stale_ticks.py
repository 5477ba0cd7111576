"""A list that was loaded a while ago undoes nobody else's tick."""

import re
from html import unescape
from uuid import UUID

import pytest
from httpx import AsyncClient, Response

from src.billing.models import Order
from src.booking.check_in_codes import check_in_code
from src.booking.domain.kinds import SeatState
from src.booking.models import Session
from src.booking.web.seen_seats import overtaken_words
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.web.pages import as_owner
from tests.booking.web.test_attendance import ids_of, lotus, mark, roster_of, states_of, tonight
from tests.support.builders import Business
from tests.support.clock import FrozenClock
from tests.support.visitor import Form, forms_of

pytestmark = pytest.mark.anyio

__all__ = ["lotus", "tonight"]

WAYS = pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["plain", "htmx"])


def words_of(page: Response) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", page.text)).split())


async def seat_of(services: Services, lotus: Business, tonight: Session, name: str) -> UUID:
    [seat] = [one for one in await roster_of(services, lotus, tonight) if one.name == name]
    return seat.seat_id


def form_of(page: Response, seat_id: UUID) -> Form:
    """The form in the row of the seat."""
    return next(one for one in forms_of(page) if one.fields.get("seat_ids") == [str(seat_id)])


async def press(
    client: AsyncClient, form: Form, wanted: str, headers: dict[str, str], **more: object
) -> Response:
    sent = form.filled({"wanted": wanted, **more})
    answer = await client.post(form.action, data=sent, headers=headers)
    return answer if headers else await client.get(answer.headers["location"])


@WAYS
@pytest.mark.parametrize(
    ("seen", "meanwhile", "wanted", "now"),
    [
        (SeatState.CONFIRMED, SeatState.NO_SHOW, "attended", "Did not come"),
        (SeatState.CONFIRMED, SeatState.ATTENDED, "no_show", "Here"),
        (SeatState.NO_SHOW, SeatState.ATTENDED, "confirmed", "Here"),
        (SeatState.NO_SHOW, SeatState.CONFIRMED, "attended", "Booked"),
    ],
)
async def test_what_a_colleague_has_marked_meanwhile_stays_and_is_said(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    tonight: Session,
    clock: FrozenClock,
    headers: dict[str, str],
    seen: SeatState,
    meanwhile: SeatState,
    wanted: str,
    now: str,
) -> None:
    clock.advance(tonight.starts_at - clock.now())
    dora = await seat_of(services, lotus, tonight, "Dora")
    await mark(services, lotus, tonight, [dora], seen)
    await as_owner(client, services, lotus)
    shown = await client.get(f"/app/lotus/sessions/{tonight.id}?show=all")
    await mark(services, lotus, tonight, [dora], meanwhile)
    answer = await press(client, form_of(shown, dora), wanted, headers)
    assert str(meanwhile) in await states_of(services, lotus)
    said = f"This has changed since the page was loaded, so it stays as it is: Dora ({now})."
    assert said in words_of(answer)
    assert "Undo: Dora" not in answer.text, "it is not hers to take back"
    again = await press(client, form_of(answer, dora), wanted, headers)
    assert "has changed since" not in words_of(again), "the fresh row knows what it is"
    assert wanted in await states_of(services, lotus)


@WAYS
async def test_who_wants_what_is_so_already_is_told_no_more_than_that(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    tonight: Session,
    headers: dict[str, str],
) -> None:
    await as_owner(client, services, lotus)
    shown = await client.get(f"/app/lotus/sessions/{tonight.id}")
    dora = await seat_of(services, lotus, tonight, "Dora")
    await mark(services, lotus, tonight, [dora], SeatState.ATTENDED)
    answer = await press(client, form_of(shown, dora), "attended", headers)
    assert "1 was so already" in words_of(answer)
    assert "has changed" not in words_of(answer)


async def test_of_many_only_those_that_a_colleague_changed_stay(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    tonight: Session,
    clock: FrozenClock,
) -> None:
    clock.advance(tonight.starts_at - clock.now())
    await as_owner(client, services, lotus)
    shown = await client.get(f"/app/lotus/sessions/{tonight.id}")
    carl, kid, dora = await ids_of(services, lotus)
    await mark(services, lotus, tonight, [carl, dora], SeatState.ATTENDED)
    several = [one for one in forms_of(shown) if "seat_ids" not in one.fields]
    bar = next(one for one in several if one.action.endswith("/attendance"))
    every = [str(one) for one in (carl, kid, dora)]
    answer = await press(client, bar, "no_show", {}, seat_ids=every)
    said = words_of(answer)
    assert "1 did not come. These have changed since the page was loaded" in said
    assert "so they stay as they are: Carl (Here), Dora (Here)." in said
    assert await states_of(services, lotus) == ["attended", "no_show", "attended"]


@WAYS
async def test_at_the_door_what_a_colleague_has_marked_stays_too(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    tonight: Session,
    clock: FrozenClock,
    headers: dict[str, str],
) -> None:
    clock.advance(tonight.starts_at - clock.now())
    carl, kid, _dora = await ids_of(services, lotus)
    [seat] = [one for one in await roster_of(services, lotus, tonight) if one.seat_id == carl]
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, seat.order_id))
    await as_owner(client, services, lotus)
    page = f"/app/lotus/check-in/{check_in_code(services.settings, order)}"
    shown = await client.get(page)
    await mark(services, lotus, tonight, [carl], SeatState.NO_SHOW)
    both = [str(carl), str(kid)]
    [all_of_them] = [one for one in forms_of(shown) if one.fields.get("seat_ids") == both]
    answer = await press(client, all_of_them, "attended", headers)
    said = words_of(answer)
    assert "1 person is checked in. This has changed since the page was loaded" in said
    assert "so it stays as it is: Carl (Did not come)." in said
    assert (await states_of(services, lotus))[:2] == ["no_show", "attended"]
    await press(client, form_of(answer, carl), "attended", headers)
    assert (await states_of(services, lotus))[:2] == ["attended", "attended"]


async def test_a_list_that_says_nothing_of_what_it_showed_is_taken_as_it_is(
    client: AsyncClient, services: Services, lotus: Business, tonight: Session
) -> None:
    """Pairs that are none are as good as none."""
    await as_owner(client, services, lotus)
    shown = await client.get(f"/app/lotus/sessions/{tonight.id}")
    dora = await seat_of(services, lotus, tonight, "Dora")
    for was in ([], ["x", f"{dora}:gone", ":confirmed", str(dora)]):
        await press(client, form_of(shown, dora), "attended", {}, was=was)
        assert (await states_of(services, lotus)).count("attended") == 1
        await mark(services, lotus, tonight, [dora], SeatState.CONFIRMED)


@pytest.mark.parametrize(("how_many", "end"), [(6, "n5 (Here)"), (7, "1 other"), (40, "34 others")])
def test_of_many_the_first_ones_are_named(how_many: int, end: str) -> None:
    ids = [new_id() for _number in range(how_many)]
    names = {one: f"n{number}" for number, one in enumerate(ids)}
    said = overtaken_words(dict.fromkeys(ids, SeatState.ATTENDED), names)
    assert "n0 (Here)" in said
    assert f"{end}. If" in said
    assert len(said) < 400
