"""What roles are called, and why somebody may not do something."""

import pytest

from src.tenants.domain.roles import Role
from src.tenants.role_words import needs_role


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (Role.OWNER, "Only somebody with the role of owner can do this."),
        (Role.MANAGER, "This needs the role of manager, or one that may do more than that."),
    ],
)
def test_who_may_not_reads_that_a_greater_role_will_do(role: Role, said: str) -> None:
    assert needs_role(role) == said
