"""The monthly booking counter: when a booking brings it close to the plan's limit."""

WARN_AT_PERCENT = (80, 100)


def percent_reached(taken: int, limit: int | None) -> int:
    """The highest warning threshold that `taken` of `limit` has reached; 0 for none of them.

    Without a limit nothing is ever near; a limit of 0 is reached from the start.
    """
    if limit is None:
        return 0
    reached = [percent for percent in WARN_AT_PERCENT if taken * 100 >= percent * limit]
    return max(reached, default=0)
