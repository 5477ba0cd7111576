"""Several codes that were typed where one goes."""

import re

from src.billing.domain.vouchers import GROUP, GROUPS

_APART = re.compile(r"[\s,;+&|/]+")
_GROUPS = re.compile(r"[^\W_]+")
_LIKE_A_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,39}", re.ASCII | re.IGNORECASE)
_NO_PLAIN_WORD = re.compile(r"[0-9_-]")
_LISTED = re.compile(r"[,;+&|/]")


def codes_in(typed: str) -> list[str]:
    """What looks like two codes or more, each as it was typed; empty for what may be one code.

    No coupon's code has a blank in it, and a voucher's may be typed in its groups, with anything
    between them. Where blanks alone keep them apart, a plain word is none: that is more likely a
    code that is not spelt so.
    """
    groups = _GROUPS.findall(typed)
    if len(groups) <= GROUPS and all(len(group) == GROUP for group in groups):
        return []
    is_list = _LISTED.search(typed) is not None
    found = [
        one
        for one in _with_groups_together(typed)
        if " " in one or (_LIKE_A_CODE.fullmatch(one) and (is_list or _NO_PLAIN_WORD.search(one)))
    ]
    return found if len(found) > 1 else []


def _with_groups_together(typed: str) -> list[str]:
    """What is typed with something between; bare groups of a voucher's code stay one."""
    found: list[str] = []
    run: list[str] = []
    for one in [*_APART.split(typed), ""]:
        if len(one) == GROUP and one.isalnum() and len(run) < GROUPS:
            run.append(one)
            continue
        found += [" ".join(run)] if run else []
        run = [one] if len(one) == GROUP and one.isalnum() else []
        found += [one] if one and not run else []
    return found
