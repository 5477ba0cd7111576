"""Who the demo is about: two businesses, what they offer, and the people who come."""

from datetime import time
from typing import Literal

import msgspec

from src.billing.domain.coupon_drafts import CouponDraft
from src.booking.domain.drop_in import PayWay
from src.booking.domain.fees import FeeRule
from src.booking.domain.kinds import SalesMode, SeriesPriceType
from src.booking.domain.leaving import BeforeUnit, LeavingTerms, Tier
from src.booking.domain.price_tiers import PriceTier
from src.booking.domain.questions import Question
from src.booking.domain.waiting import WaitlistTerms

PASSWORD = "a seat for everyone"  # noqa: S105 - the demo's, printed at its start
REFUNDED = LeavingTerms(
    tiers=(
        Tier(before=3, unit=BeforeUnit.DAYS, percent=100),
        Tier(before=24, unit=BeforeUnit.HOURS, percent=50),
    ),
    moves_before=12,
)
WITH_A_FEE = msgspec.structs.replace(
    REFUNDED, no_show_fee=FeeRule(amount_minor=500, currency="EUR")
)


class DemoService(msgspec.Struct, frozen=True, kw_only=True):
    """A service, its weekly times and its course.

    `at` is a time of its weekdays, or one around now on whatever day today is; its first date lies
    `first_in_days` from today. What began before today was published before that.
    """

    key: str
    name: str
    description: str
    price_minor: int
    minutes: int
    capacity: int
    at: time | Literal["soon", "just over"]
    weekdays: frozenset[int] = frozenset()
    first_in_days: int = 2
    price_type: SeriesPriceType = SeriesPriceType.ONLINE
    price_tiers: tuple[PriceTier, ...] = ()
    questions: tuple[Question, ...] = ()
    sales_mode: SalesMode = SalesMode.SINGLE
    leaving: LeavingTerms = REFUNDED
    tags: tuple[str, ...] = ()
    waitlist: WaitlistTerms | None = None
    title_pattern: str = ""
    series: "DemoSeries | None" = None


class DemoSeries(msgspec.Struct, frozen=True, kw_only=True):
    """The first eight dates as a course; `early_bird_minor` is its price until it starts, and
    `drop_in_minor` what a single date of it costs, from a week before on.
    """

    title: str
    price_minor: int
    price_tiers: tuple[PriceTier, ...] = ()
    early_bird_minor: int | None = None
    drop_in_minor: int | None = None
    drop_in_pays: tuple[PayWay, ...] = ()
    leaving: LeavingTerms = REFUNDED
    tags: tuple[str, ...] = ()


class DemoBusiness(msgspec.Struct, frozen=True, kw_only=True):
    """A business with its face, its staff and its places."""

    name: str
    slug: str
    owner_name: str
    owner_email: str
    plan: str
    bolt_ons: tuple[str, ...] = ()
    timezone: str
    currency: str
    country: str
    color: str
    about: str
    phone: str
    terms: str
    performers: tuple[tuple[str, str], ...]
    locations: tuple[tuple[str, str, int], ...]
    coupons: tuple[CouponDraft, ...]
    services: tuple[DemoService, ...]


LOTUS = DemoBusiness(
    name="Lotus Yoga",
    slug="lotus-yoga",
    owner_name="Olive Oak",
    owner_email="olive@lotus.example",
    plan="growth",
    bolt_ons=("auto_refund",),
    timezone="Europe/Amsterdam",
    currency="EUR",
    country="NL",
    color="#0f766e",
    about="Small classes above the canal. Come as you are; mats and tea are here.",
    phone="+31 20 555 0134",
    terms="Please be there five minutes before the class begins.",
    performers=(("Ivan Iris", "ivan@lotus.example"), ("Mira Moon", ""), ("Noor Nacht", "")),
    locations=(
        ("Canal room", "Prinsengracht 410, Amsterdam", 14),
        ("Garden room", "Prinsengracht 410, Amsterdam", 24),
    ),
    coupons=(
        CouponDraft(code="WELCOME", percent=10, amount_minor=None, max_uses=50),
        CouponDraft(
            code="FRIENDS",
            percent=None,
            amount_minor=500,
            min_spend_minor=3000,
            max_per_customer=1,
            first_order_only=True,
        ),
    ),
    services=(
        DemoService(
            key="hatha",
            name="Hatha for beginners",
            description="Eight weeks from the first breath to a first sequence of your own.",
            price_minor=1800,
            at="soon",
            first_in_days=-14,
            minutes=75,
            capacity=12,
            sales_mode=SalesMode.BOTH,
            questions=(Question(key="injuries", label="Anything your teacher should know?"),),
            tags=("beginners",),
            title_pattern="Class {n}",
            series=DemoSeries(
                title="Eight weeks of hatha",
                price_minor=11900,
                price_tiers=(PriceTier(name="Student", price_minor=9500),),
                drop_in_minor=1900,
                drop_in_pays=(PayWay.ONLINE, PayWay.ON_SITE, PayWay.CREDIT),
                leaving=WITH_A_FEE,
                tags=("beginners",),
            ),
        ),
        DemoService(
            key="flow",
            name="Morning flow",
            description="An hour that wakes you up, before the city does.",
            price_minor=1500,
            price_tiers=(
                PriceTier(name="Student", price_minor=1200),
                PriceTier(name="Child", price_minor=800),
            ),
            weekdays=frozenset({0, 2, 4}),
            at=time(7, 15),
            first_in_days=1,
            minutes=60,
            capacity=8,
            tags=("mornings", "beginners"),
            waitlist=WaitlistTerms(offer_minutes=24 * 60),
        ),
        DemoService(
            key="community",
            name="Community class",
            description="Once a week in the canal room. Free, for everyone in the street.",
            price_minor=0,
            price_type=SeriesPriceType.FREE,
            at="just over",
            first_in_days=-7,
            minutes=60,
            capacity=14,
        ),
    ),
)

KILN = DemoBusiness(
    name="Kiln and Clay",
    slug="kiln-and-clay",
    owner_name="Eve Ember",
    owner_email="eve@kiln.example",
    plan="scale",
    timezone="Europe/London",
    currency="GBP",
    country="GB",
    color="#b45309",
    about="A pottery studio under the arches: wheels, glazes and two kilns.",
    phone="+44 20 7946 0321",
    terms="Pieces are kept for six weeks after the last firing.",
    performers=(("Gale Grey", ""), ("Hana Hill", "")),
    locations=(("Wheel room", "Arch 14, Bermondsey, London", 10),),
    coupons=(CouponDraft(code="WELCOME", percent=10, amount_minor=None, max_uses=50),),
    services=(
        DemoService(
            key="wheel",
            name="Wheel throwing",
            description="Centre, open, pull: eight weeks at your own wheel, glazing included.",
            price_minor=4500,
            weekdays=frozenset({3}),
            at=time(19, 0),
            minutes=150,
            capacity=10,
            sales_mode=SalesMode.SERIES,
            series=DemoSeries(
                title="Eight Thursdays at the wheel",
                price_minor=26000,
                early_bird_minor=23500,
            ),
        ),
        DemoService(
            key="taster",
            name="Taster session",
            description="Two hours, one bowl. Pay at the studio.",
            price_minor=3200,
            price_type=SeriesPriceType.ON_SITE,
            at="soon",
            first_in_days=0,
            minutes=120,
            capacity=8,
        ),
    ),
)
