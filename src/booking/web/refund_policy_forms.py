"""The form of a refund policy: what an owner types for each kind of buyer, and back."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.domain.refund_policy import CHOICES, BuyerKind, BuyerRule, Gives, RefundPolicy
from src.booking.web.leaving_forms import TierRow
from src.platform.errors import InvalidInput
from src.platform.i18n import _

STEPS = 3
ALL = 100


class RuleRow(msgspec.Struct, kw_only=True):
    """What one kind of buyer gets; without a choice the plain terms hold for them."""

    kind: BuyerKind
    gives: Gives | None = None
    package_id: UUID | None = None
    tiers: list[TierRow] = msgspec.field(default_factory=list)


class PolicyForm(msgspec.Struct, kw_only=True):
    """`seen` marks the policy that was shown."""

    seen: Annotated[str, Meta(max_length=64)] = ""
    rules: list[RuleRow] = msgspec.field(default_factory=list)


def kinds_of(*, is_course: bool) -> list[BuyerKind]:
    """A service sells single dates alone."""
    return [kind for kind in BuyerKind if is_course or kind is not BuyerKind.COURSE]


def initial_of(terms: LeavingTerms, kinds: Sequence[BuyerKind]) -> dict[str, Any]:
    """The policy as the form shows it at first."""
    policy = terms.policy or RefundPolicy()
    return {"rules": [_row(kind, policy.rule_for(kind)) for kind in kinds]}


def _row(kind: BuyerKind, rule: BuyerRule | None) -> dict[str, Any]:
    tiers = () if rule is None else rule.tiers
    return {
        "kind": kind,
        "gives": "" if rule is None else rule.gives,
        "package_id": "" if rule is None else rule.package_id,
        "tiers": [
            {"before": tier.before, "unit": tier.unit, "percent": tier.percent} for tier in tiers
        ],
    }


def read_policy(form: PolicyForm) -> RefundPolicy:
    """Raises: InvalidInput at the fields of the form, for what is no number."""
    wrong: dict[str, str] = {}
    rules = {
        row.kind.value: _rule(row, f"rules.{place}", wrong)
        for place, row in enumerate(form.rules)
        if row.gives is not None
    }
    if wrong:
        raise InvalidInput(_("Please look at the marked fields."), fields=wrong)
    return RefundPolicy(**rules)


def at_the_form(fields: Mapping[str, str], form: PolicyForm) -> dict[str, str]:
    """The sentences about a policy at the fields of the form; a step is found by its place among
    those that are filled in.
    """
    places = {row.kind.value: place for place, row in enumerate(form.rules)}
    found: dict[str, str] = {}
    for name, said in fields.items():
        _policy, kind, rest = name.split(".", 2)
        place = places[kind]
        if rest.startswith("tiers."):
            _tiers, position, column = rest.split(".")
            step = _filled(form.rules[place])[int(position)]
            rest = f"tiers.{step}.{column}"
        found[f"rules.{place}.{rest}"] = said
    return found


def _rule(row: RuleRow, name: str, wrong: dict[str, str]) -> BuyerRule:
    assert row.gives is not None
    gives_some = row.gives is not Gives.NOTHING
    steps = _filled(row) if gives_some else []
    return BuyerRule(
        gives=row.gives,
        tiers=tuple(_tier(row.tiers[step], f"{name}.tiers.{step}", wrong) for step in steps),
        package_id=row.package_id if row.gives is Gives.PACKAGE else None,
    )


def _filled(row: RuleRow) -> list[int]:
    return [place for place, step in enumerate(row.tiers) if not step.is_empty]


def _tier(step: TierRow, name: str, wrong: dict[str, str]) -> Tier:
    """An empty percent is all of it."""
    before = _number(step.before, f"{name}.before", wrong)
    typed = step.percent.strip().removesuffix("%").strip()
    percent = _number(typed, f"{name}.percent", wrong) if typed else ALL
    return Tier(before=before, unit=step.unit, percent=percent)


def _number(text: str, name: str, wrong: dict[str, str]) -> int:
    typed = text.strip()
    if typed.isascii() and typed.isdigit():
        return int(typed)
    wrong[name] = _("Please give a whole number.")
    return 0


def kind_words() -> dict[BuyerKind, tuple[str, str]]:
    """What the page calls a kind of buyer, and who that is."""
    return {
        BuyerKind.COURSE: (_("Bought the course"), _("Their single dates, one by one.")),
        BuyerKind.CARD: (_("Single date, by card"), _("Paid for one date by card.")),
        BuyerKind.CREDIT: (
            _("Single date, by credit"),
            _("Used a credit, of a package or one that was given back."),
        ),
        BuyerKind.ON_SITE: (
            _("Single date, on site"),
            _("Pays at the door; a credit is given only for what is paid."),
        ),
    }


def gives_choices(kind: BuyerKind) -> list[tuple[str, str]]:
    words = {
        Gives.MONEY: _("Money: back to the card")
        if kind is not BuyerKind.ON_SITE
        else _("Money: handed back on site"),
        Gives.PACKAGE: _("A credit for another date"),
        Gives.CREDIT: _("The credit itself, with its old end"),
        Gives.NOTHING: _("Nothing"),
    }
    return [(gives.value, words[gives]) for gives in CHOICES[kind]]
