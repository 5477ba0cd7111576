"""Inserts that go together: all of them, in any order, however many."""

from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import Table, event, text
from sqlalchemy.engine import Engine

from src.platform.db import batch
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.tenants.models import Customer, Participant
from tests.conftest import Committing

pytestmark = pytest.mark.anyio

CUSTOMERS = cast(Table, Customer.__table__)
PARTICIPANTS = cast(Table, Participant.__table__)


def a_customer(tenant: UUID, customer_id: UUID, at: Any) -> dict[str, Any]:
    return {
        "tenant_id": tenant,
        "id": customer_id,
        "email": None,
        "name": "Carl",
        "phone": "",
        "is_established": False,
        "created_at": at,
    }


def people(tenant: UUID, customer_id: UUID, count: int) -> list[dict[str, Any]]:
    return [
        {"tenant_id": tenant, "id": new_id(), "customer_id": customer_id, "name": f"Guest {number}"}
        for number in range(count)
    ]


async def written(uow_factory: UowFactory, tenant: UUID) -> tuple[int, int]:
    async with uow_factory(tenant) as uow:
        row = await uow.session.execute(
            text("SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM participants)")
        )
        customers, participants = row.one()
    return customers, participants


async def test_rows_go_in_one_statement_in_any_order(uow_factory: UowFactory) -> None:
    tenant, customer_id = new_id(), new_id()
    statements: list[str] = []

    def remember(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", remember)
    try:
        async with uow_factory(tenant) as uow:
            uow.insert(PARTICIPANTS, people(tenant, customer_id, 3))
            uow.insert(CUSTOMERS, [a_customer(tenant, customer_id, uow.clock.now())])
    finally:
        event.remove(Engine, "before_cursor_execute", remember)
    assert len([one for one in statements if "INSERT" in one]) == 1
    assert await written(uow_factory, tenant) == (1, 3)


async def test_what_does_not_fit_into_one_statement_takes_more(
    uow_factory: UowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MOST_VALUES", 30)
    tenant, customer_id = new_id(), new_id()
    async with uow_factory(tenant) as uow:
        uow.insert(CUSTOMERS, [a_customer(tenant, customer_id, uow.clock.now())])
        uow.insert(PARTICIPANTS, people(tenant, customer_id, 20))
    assert await written(uow_factory, tenant) == (1, 20)


async def test_one_refused_row_refuses_all(committing: Committing) -> None:
    tenant, customer_id = new_id(), new_id()
    with pytest.raises(Exception, match="fk_participants"):
        async with committing.uow_factory(tenant) as uow:
            uow.insert(CUSTOMERS, [a_customer(tenant, customer_id, uow.clock.now())])
            uow.insert(PARTICIPANTS, people(tenant, new_id(), 1))
    assert await written(committing.uow_factory, tenant) == (0, 0)


async def test_each_transaction_of_a_pooled_connection_has_its_own_tenant(
    committing: Committing,
) -> None:
    mine, theirs = new_id(), new_id()
    for tenant in (mine, theirs, None, mine):
        async with committing.uow_factory(tenant) as uow:
            told = await uow.session.scalar(text("SELECT current_setting('app.tenant_id', true)"))
        assert told == ("" if tenant is None else str(tenant))
