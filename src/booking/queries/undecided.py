"""Which sessions wait for the moment at which their minimum group size is looked at."""

from sqlalchemy import ColumnElement, exists

from src.booking.models import Session
from src.tenants.models import Due


def is_undecided() -> ColumnElement[bool]:
    """Of each session of a statement, whether the clock still looks at its number: it may be called
    off. False once enough had booked at that moment, or somebody has answered. The clock's row has
    the session's own id.
    """
    row = exists().where(Due.tenant_id == Session.tenant_id, Due.id == Session.id)
    return row.correlate(Session) & Session.decided_at.is_(None)
