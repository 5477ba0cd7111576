"""Who the demo is about: two businesses, what they offer, and the people who come."""

from datetime import time

import msgspec

from src.booking.domain.kinds import SalesMode, SeriesPriceType

PASSWORD = "a seat for everyone"  # noqa: S105 - the demo's, printed at its start


class DemoService(msgspec.Struct, frozen=True, kw_only=True):
    """A service, its weekly times and its course."""

    name: str
    description: str
    price_minor: int
    weekdays: frozenset[int]
    at: time
    minutes: int
    capacity: int
    price_type: SeriesPriceType = SeriesPriceType.ONLINE
    sales_mode: SalesMode = SalesMode.SINGLE
    series_title: str = ""
    series_minor: int = 0
    title_pattern: str = ""


class DemoBusiness(msgspec.Struct, frozen=True, kw_only=True):
    """A business with its face, its staff and its places."""

    name: str
    slug: str
    owner_name: str
    owner_email: str
    plan: str
    timezone: str
    currency: str
    country: str
    color: str
    about: str
    phone: str
    terms: str
    performers: tuple[tuple[str, str], ...]
    locations: tuple[tuple[str, str, int], ...]
    services: tuple[DemoService, ...]


LOTUS = DemoBusiness(
    name="Lotus Yoga",
    slug="lotus-yoga",
    owner_name="Olive Oak",
    owner_email="olive@lotus.example",
    plan="growth",
    timezone="Europe/Amsterdam",
    currency="EUR",
    country="NL",
    color="#0f766e",
    about="Small classes above the canal. Come as you are; mats and tea are here.",
    phone="+31 20 555 0134",
    terms="You can cancel by mail up to a day before a class. Courses are not refunded in part.",
    performers=(("Ivan Iris", "ivan@lotus.example"), ("Mira Moon", ""), ("Noor Nacht", "")),
    locations=(
        ("Canal room", "Prinsengracht 410, Amsterdam", 14),
        ("Garden room", "Prinsengracht 410, Amsterdam", 24),
    ),
    services=(
        DemoService(
            name="Hatha for beginners",
            description="Eight evenings from the first breath to a first sequence of your own.",
            price_minor=1800,
            weekdays=frozenset({1}),
            at=time(18, 30),
            minutes=75,
            capacity=12,
            sales_mode=SalesMode.BOTH,
            series_title="Eight Tuesdays",
            series_minor=11900,
            title_pattern="Evening {n}",
        ),
        DemoService(
            name="Morning flow",
            description="An hour that wakes you up, before the city does.",
            price_minor=1500,
            weekdays=frozenset({0, 2, 4}),
            at=time(7, 15),
            minutes=60,
            capacity=14,
        ),
        DemoService(
            name="Community class",
            description="Sunday in the canal room. Free, for everyone in the street.",
            price_minor=0,
            price_type=SeriesPriceType.FREE,
            weekdays=frozenset({6}),
            at=time(10, 0),
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
    services=(
        DemoService(
            name="Wheel throwing",
            description="Centre, open, pull: four weeks at your own wheel, glazing included.",
            price_minor=4500,
            weekdays=frozenset({3}),
            at=time(19, 0),
            minutes=150,
            capacity=10,
            sales_mode=SalesMode.SERIES,
            series_title="Eight Thursdays at the wheel",
            series_minor=26000,
        ),
        DemoService(
            name="Taster evening",
            description="Two hours, one bowl. Pay at the studio.",
            price_minor=3200,
            price_type=SeriesPriceType.ON_SITE,
            weekdays=frozenset({4}),
            at=time(18, 0),
            minutes=120,
            capacity=8,
        ),
    ),
)

GUESTS = (
    ("Carl Cedar", "carl@guests.example"),
    ("Dora Dale", "dora@guests.example"),
    ("Emil Elm", "emil@guests.example"),
    ("Fay Field", "fay@guests.example"),
    ("Gus Grove", "gus@guests.example"),
    ("Hedy Heath", "hedy@guests.example"),
    ("Ines Isle", "ines@guests.example"),
    ("Jon Juniper", "jon@guests.example"),
    ("Kaia Kelp", "kaia@guests.example"),
)
