"""The option of the tests that shuffles rows touches what has no order, and nothing else."""

from typing import Any

import pytest
from sqlalchemy import Select, column, select, table, text, update

from tests.support.shuffled import _shuffle

SEATS = table("seats", column("id"), column("state"))
PLAIN = select(SEATS.c.id)


def shuffled(statement: Any) -> str:
    given, many, params = _shuffle(None, statement, [], {}, {})
    assert (many, params) == ([], {})
    return str(given)


@pytest.mark.parametrize(
    "query", [PLAIN, PLAIN.where(SEATS.c.state == "held"), PLAIN.with_for_update()]
)
def test_rows_without_an_order_get_one_by_chance(query: Select[Any]) -> None:
    assert "ORDER BY random()" in shuffled(query)


@pytest.mark.parametrize(
    "statement",
    [
        PLAIN.order_by(SEATS.c.id),
        PLAIN.distinct(),
        PLAIN.limit(1),
        PLAIN.union(select(SEATS.c.state)),
        update(SEATS).values(state="held"),
        text("SELECT 1"),
    ],
)
def test_what_says_its_order_or_can_have_none_stays_as_it_is(statement: Any) -> None:
    assert shuffled(statement) == str(statement)
