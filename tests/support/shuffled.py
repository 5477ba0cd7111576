"""Rows that come in no promised order, made to come in a surprising one.

A query without ORDER BY gives its rows as they lie, which is nearly always as they were written:
code and tests that rely on it fail once in a hundred runs. `pytest --shuffle-rows` puts every such
query's rows in an order by chance, so that those which rely on it fail at once.
"""

from typing import Any

from pytest import Config, Parser
from sqlalchemy import Select, event, func
from sqlalchemy.engine import Engine


def pytest_addoption(parser: Parser) -> None:
    parser.addoption(
        "--shuffle-rows",
        action="store_true",
        help="give the rows of queries without ORDER BY in an order by chance",
    )


def shuffle_if_asked(config: Config) -> None:
    if config.getoption("--shuffle-rows"):
        event.listen(Engine, "before_execute", _shuffle, retval=True)


def _shuffle(
    _conn: Any, statement: Any, many: Any, params: Any, _options: Any
) -> tuple[Any, Any, Any]:
    """What SQLAlchemy is to run instead; a statement that says its order stays as it is."""
    if isinstance(statement, Select) and _may_come_in_any_order(statement):
        statement = statement.order_by(func.random())
    return statement, many, params


def _may_come_in_any_order(query: Select[Any]) -> bool:
    """Whether another order is as good as any. DISTINCT allows no order but by what it gives; under
    LIMIT another order would give other rows, not the same ones otherwise.
    """
    return not (
        query._order_by_clauses
        or query._distinct
        or query._distinct_on
        or query._limit_clause is not None
    )
