"""Plans in words: features, limits and prices as people read them."""

from collections.abc import Iterable, Mapping

from src.platform.i18n import N_, _, ngettext
from src.platform.web.formats import number as shown
from src.tenants.domain.entitlements import BUILT, Feature, Limit
from src.tenants.domain.plans import LimitChange
from src.tenants.domain.roles import TenantStatus

_FEATURES = {
    Feature.APPOINTMENTS: N_("Appointments"),
    Feature.GROUP_SERVICES: N_("Group services"),
    Feature.SERIES: N_("Series"),
    Feature.COUPONS: N_("Coupons"),
    Feature.PACKAGES: N_("Packages of credits"),
    Feature.PRODUCTS: N_("Subscriptions and products"),
    Feature.COLLECTIONS: N_("Collections and groups"),
    Feature.WAITLIST: N_("Waiting lists"),
    Feature.AUTO_REFUND: N_("Auto-refund"),
}
_LIMITS = {
    Limit.BOOKINGS_PER_MONTH: N_("Bookings a month"),
    Limit.MEMBERS: N_("Team members"),
}
_REFUSALS = {
    Feature.APPOINTMENTS: N_("Appointments are not part of your plan."),
    Feature.GROUP_SERVICES: N_("Group services are not part of your plan."),
    Feature.SERIES: N_("Series are not part of your plan."),
    Feature.COUPONS: N_("Coupons are not part of your plan."),
    Feature.PACKAGES: N_("Packages of credits are not part of your plan."),
    Feature.PRODUCTS: N_("Subscriptions and products are not part of your plan."),
    Feature.COLLECTIONS: N_("Collections and groups are not part of your plan."),
    Feature.WAITLIST: N_("Waiting lists are not part of your plan."),
    Feature.AUTO_REFUND: N_("Auto-refund is not part of your plan."),
}
_STATUSES = {
    TenantStatus.ACTIVE: N_("Active"),
    TenantStatus.PAST_DUE: N_("Past due"),
    TenantStatus.PAUSED: N_("Paused"),
    TenantStatus.SUSPENDED: N_("Suspended"),
    TenantStatus.CLOSED: N_("Closed"),
}


def feature_name(feature: Feature) -> str:
    """The feature as a person reads it, e.g. "Group services"."""
    return _(_FEATURES[feature])


def feature_names(features: Iterable[Feature]) -> tuple[str, ...]:
    """Names of those features that are built, in their usual order."""
    wanted = BUILT.intersection(features)
    return tuple(feature_name(feature) for feature in Feature if feature in wanted)


def all_feature_names(features: Iterable[Feature]) -> tuple[str, ...]:
    """Names of the features for who runs the platform, marked where they are not built yet."""
    wanted = set(features)
    return tuple(_marked(feature) for feature in Feature if feature in wanted)


def _marked(feature: Feature) -> str:
    name = feature_name(feature)
    return name if feature in BUILT else _("%(feature)s (not built yet)", feature=name)


def feature_refusal(feature: Feature) -> str:
    """Why a member cannot go on, e.g. "Series are not part of your plan."."""
    return _(_REFUSALS[feature])


def limit_name(limit: Limit) -> str:
    return _(_LIMITS[limit])


def limit_refusal(limit: Limit) -> str:
    """Why a member cannot go on, said to them and not to a guest."""
    if limit is Limit.MEMBERS:
        return _("Your plan has no room for another team member.")
    return _("The bookings of your plan are used up for this month.")


def limit_sentence(limit: Limit, number: int | None) -> str:
    """A limit on a price list, e.g. "200 bookings a month", "Unlimited team members"."""
    if limit is Limit.BOOKINGS_PER_MONTH:
        if number is None:
            return _("Unlimited bookings")
        return ngettext(
            "%(count)s booking a month",
            "%(count)s bookings a month",
            number,
            count=shown(number),
        )
    if number is None:
        return _("Unlimited team members")
    return ngettext("%(count)s team member", "%(count)s team members", number, count=shown(number))


def granted_sentence(feature: str | None, limit: str | None, value: int | None) -> str:
    """What an override gives, e.g. "Series", "200 bookings a month"."""
    if feature is not None:
        return feature_name(Feature(feature))
    return limit_sentence(Limit(limit or ""), value)


def limit_sentences(limits: Mapping[Limit, int]) -> tuple[str, ...]:
    return tuple(limit_sentence(limit, limits.get(limit)) for limit in Limit)


def increment_sentence(limit: Limit, more: int) -> str:
    """What a bolt-on adds to a limit, e.g. "100 more bookings a month"."""
    if limit is Limit.BOOKINGS_PER_MONTH:
        return ngettext(
            "%(count)s more booking a month",
            "%(count)s more bookings a month",
            more,
            count=shown(more),
        )
    return ngettext(
        "%(count)s more team member", "%(count)s more team members", more, count=shown(more)
    )


def addition_sentences(
    features: Iterable[Feature], increments: Mapping[Limit, int]
) -> tuple[str, ...]:
    """What a bolt-on brings that is built, e.g. "Auto-refund", "100 more bookings a month"."""
    return (*feature_names(features), *_increment_sentences(increments))


def all_addition_sentences(
    features: Iterable[Feature], increments: Mapping[Limit, int]
) -> tuple[str, ...]:
    """The same for who runs the platform, with what is not built yet."""
    return (*all_feature_names(features), *_increment_sentences(increments))


def _increment_sentences(increments: Mapping[Limit, int]) -> tuple[str, ...]:
    return tuple(increment_sentence(one, increments[one]) for one in Limit if one in increments)


def limit_change_sentence(change: LimitChange) -> str:
    """e.g. "Bookings a month: 1000 now, 200 then"."""
    unlimited = _("no limit")
    return _(
        "%(limit)s: %(before)s now, %(after)s then",
        limit=limit_name(change.limit),
        before=unlimited if change.before is None else shown(change.before),
        after=unlimited if change.after is None else shown(change.after),
    )


def status_name(status: TenantStatus) -> str:
    return _(_STATUSES[status])
