"""The form of a refund policy: what an owner types for each kind of buyer, and back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.domain.leaving_steps import step_errors
from src.booking.domain.refund_policy import CHOICES, BuyerKind, BuyerRule, Gives, RefundPolicy
from src.booking.web.leaving_forms import TierRow
from src.platform.i18n import _
from src.platform.web.forms import Bound, FormData, bind

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
    return {
        "kind": kind,
        "gives": "" if rule is None else rule.gives,
        "package_id": "" if rule is None else rule.package_id,
        "tiers": [] if rule is None else [_step(rule, tier) for tier in _steps_that_count(rule)],
    }


def _steps_that_count(rule: BuyerRule) -> Iterable[Tier]:
    """A credit is not given from a step on that gives nothing, and the page has no percent to say
    so beside it.
    """
    return [tier for tier in rule.tiers if rule.gives is Gives.MONEY or tier.percent]


def _step(rule: BuyerRule, tier: Tier) -> dict[str, Any]:
    """Beside a credit no percent is shown: all of it stands there should money be chosen instead,
    whatever was kept with the credit before.
    """
    percent = tier.percent if rule.gives is Gives.MONEY else ALL
    return {"before": tier.before, "unit": tier.unit, "percent": percent}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPolicy:
    """What was typed, as a policy. `wrong` is what could not be read, by field of the form; such a
    step is no part of the policy. `rows` and `steps` are the places of its rules and of their tiers
    in the form, by kind of buyer.
    """

    policy: RefundPolicy
    wrong: dict[str, str]
    rows: dict[str, int]
    steps: dict[str, list[int]]

    def at_the_form(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The sentences about the policy at the fields of the form, beside what could not be read:
        without a step that can be read, nothing is said of none being there.
        """
        found: dict[str, str] = {}
        for name, said in fields.items():
            _policy, kind, rest = name.split(".", 2)
            row = f"rules.{self.rows[kind]}"
            if rest.startswith("tiers."):
                _tiers, position, column = rest.split(".")
                rest = f"tiers.{self.steps[kind][int(position)]}.{column}"
            elif rest == "tiers" and any(one.startswith(f"{row}.tiers.") for one in self.wrong):
                continue
            found[f"{row}.{rest}"] = said
        return {**found, **self.wrong}


def bind_policy(raw: FormData) -> Bound[PolicyForm]:
    """The form as typed, and what is wrong with what its choices ask for."""
    bound = bind(PolicyForm, raw)
    hidden = [name for name in bound.errors if not _is_asked(bound, name)]
    for name in hidden:
        del bound.errors[name]
    return bound


def read_policy(bound: Bound[PolicyForm]) -> ReadPolicy | None:
    """As much of the form as can be read. None for one of which nothing can be made.

    What a choice does not ask for is not read: a percent that was typed for money is none of a
    credit's, and stays in the form only for who chooses money again.
    """
    asked = FormData()
    readable = bound.readable().texts.items()
    asked.texts = {name: typed for name, typed in readable if _is_asked(bound, name)}
    form = None if bound.form_error is not None else bind(PolicyForm, asked).struct
    if form is None:
        return None
    wrong: dict[str, str] = {}
    rules: dict[str, BuyerRule] = {}
    rows: dict[str, int] = {}
    steps: dict[str, list[int]] = {}
    for place, row in enumerate(form.rules):
        if row.gives is None:
            continue
        kind = row.kind.value
        tiers = _tiers(row, f"rules.{place}", wrong)
        rows[kind], steps[kind] = place, list(tiers)
        rules[kind] = BuyerRule(
            gives=row.gives, tiers=tuple(tiers.values()), package_id=row.package_id
        )
    wrong |= bound.errors
    return ReadPolicy(policy=RefundPolicy(**rules), wrong=wrong, rows=rows, steps=steps)


def _is_asked(bound: Bound[PolicyForm], name: str) -> bool:
    """Whether the choice of its row asks for the field; the page shows those alone."""
    _rules, _dot, rest = name.partition(".")
    place, _dot, field = rest.partition(".")
    gives = bound.value(f"rules.{place}.gives")
    if field == "package_id":
        return gives == Gives.PACKAGE
    if field.endswith(".percent"):
        return gives == Gives.MONEY
    return gives not in ("", Gives.NOTHING) or not field.startswith("tiers.")


def _tiers(row: RuleRow, name: str, wrong: dict[str, str]) -> dict[int, Tier]:
    """The steps that can be read, by their places; the others go into `wrong`."""
    found: dict[int, Tier] = {}
    for place, step in enumerate(row.tiers):
        if step.is_empty:
            continue
        unread: dict[str, str] = {}
        tier = _tier(step, unread)
        if not unread:
            found[place] = tier
            continue
        beside = step_errors((tier,), has_quiet=False)
        unread = {one.removeprefix("tiers.0."): said for one, said in beside.items()} | unread
        wrong |= {f"{name}.tiers.{place}.{column}": said for column, said in unread.items()}
    return found


def _tier(step: TierRow, wrong: dict[str, str]) -> Tier:
    """An empty percent is all of it. What is no number goes into `wrong`, and no rule is broken by
    what stands in its place.
    """
    typed = step.percent.strip().removesuffix("%").strip()
    return Tier(
        before=_number(step.before, "before", 0, wrong),
        unit=step.unit,
        percent=_number(typed, "percent", ALL, wrong) if typed else ALL,
    )


def _number(text: str, name: str, instead: int, wrong: dict[str, str]) -> int:
    typed = text.strip()
    if typed.isascii() and typed.isdigit():
        return int(typed)
    wrong[name] = _("Please give a whole number.")
    return instead


def kind_words() -> dict[BuyerKind, tuple[str, str]]:
    """What the page calls a kind of buyer, and who that is."""
    return {
        BuyerKind.COURSE: (_("Bought the course"), _("Their single dates, one by one.")),
        BuyerKind.CARD: (
            _("Single date, by card or transfer"),
            _("Paid for one date by card or, where you take them, by bank transfer."),
        ),
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
        Gives.MONEY: _("Money: back the way it was paid")
        if kind is not BuyerKind.ON_SITE
        else _("Money: handed back on site"),
        Gives.PACKAGE: _("A credit for another date"),
        Gives.CREDIT: _("The credit itself, with its old end"),
        Gives.NOTHING: _("Nothing"),
    }
    return [(gives.value, words[gives]) for gives in CHOICES[kind]]
