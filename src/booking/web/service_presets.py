"""What a new service may begin with: a workshop, a course of dates, an open class, appointments."""

from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from src.booking.domain.kinds import SalesMode, ServiceKind
from src.booking.domain.leaving import BeforeUnit
from src.booking.web.service_forms import ServiceForm
from src.platform.i18n import N_, _
from src.platform.web.form_plans import plan_of
from src.platform.web.forms import Bound
from src.tenants.domain.entitlements import Feature

OF_ONE_KIND = ("step_minutes", "before_minutes", "after_minutes", "default_capacity", "sales_mode")
"""The fields that only the form of one kind of service has, and that are never left empty."""


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """`values` are those of the form that differ from an empty one's, see `preset_values`."""

    key: str
    title: str
    sentence: str
    values: dict[str, Any]
    features: frozenset[Feature] = frozenset({Feature.GROUP_SERVICES})


class PresetButton(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    title: str
    sentence: str
    is_chosen: bool


PRESETS = (
    Preset(
        key="workshop",
        title=N_("A workshop"),
        sentence=N_("One date with a price of its own, booked well ahead, by parties too."),
        values={
            "sales_mode": SalesMode.SINGLE,
            "duration_minutes": 180,
            "default_capacity": 12,
            "min_notice_minutes": 1440,
            "max_party": 4,
            "tiers": [
                {"before": 14, "unit": BeforeUnit.DAYS, "percent": 100},
                {"before": 7, "unit": BeforeUnit.DAYS, "percent": 50},
            ],
        },
    ),
    Preset(
        key="course",
        title=N_("A course of dates"),
        sentence=N_("A term that is bought and paid for as one, every week at the same time."),
        values={
            "sales_mode": SalesMode.SERIES,
            "duration_minutes": 75,
            "default_capacity": 12,
            "max_party": 1,
        },
        features=frozenset({Feature.GROUP_SERVICES, Feature.SERIES}),
    ),
    Preset(
        key="class",
        title=N_("An open class"),
        sentence=N_("Every date is booked by itself, until shortly before it starts."),
        values={
            "sales_mode": SalesMode.SINGLE,
            "duration_minutes": 60,
            "default_capacity": 20,
            "min_notice_minutes": 30,
            "horizon_days": 28,
            "max_party": 2,
            "tiers": [{"before": 12, "unit": BeforeUnit.HOURS, "percent": 100}],
        },
    ),
    Preset(
        key="appointment",
        title=N_("An appointment"),
        sentence=N_("Guests choose a time of their own, when somebody of you is free."),
        values={
            "kind": ServiceKind.APPOINTMENT,
            "duration_minutes": 60,
            "min_notice_minutes": 240,
            "horizon_days": 60,
            "max_party": 1,
            "tiers": [{"before": 1, "unit": BeforeUnit.DAYS, "percent": 100}],
        },
        features=frozenset({Feature.APPOINTMENTS}),
    ),
)


def preset_values(key: str, features: AbstractSet[Feature]) -> dict[str, Any]:
    """Of the preset of that key; nothing for another one, or one that the plan does not have.

    What only others say is as in an empty form, so that no rule of one pressed before stays.
    """
    found = next((one for one in _offered(features) if one.key == key), None)
    if found is None:
        return {}
    said = {name for one in PRESETS for name in one.values}
    empty = plan_of(ServiceForm).defaults()
    return {name: found.values.get(name, empty[name]) for name in sorted(said)}


def of_the_other_kind(form: Bound[Any]) -> dict[str, Any]:
    """As in an empty form what the typed one had no fields for, since it was of the other kind."""
    empty = plan_of(ServiceForm).defaults()
    return {name: empty[name] for name in OF_ONE_KIND if not form.values(name)}


def offered_presets(key: str, features: AbstractSet[Feature]) -> list[PresetButton]:
    """Those that there are, the one of that key chosen."""
    return [
        PresetButton(
            key=one.key,
            title=_(one.title),
            sentence=_(one.sentence),
            is_chosen=one.key == key,
        )
        for one in _offered(features)
    ]


def _offered(features: AbstractSet[Feature]) -> list[Preset]:
    return [one for one in PRESETS if one.features <= features]
