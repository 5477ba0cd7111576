from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest

from src.booking.domain.kinds import SalesMode, ServiceKind
from src.booking.domain.price_label import (
    PriceFacts,
    PriceKind,
    SeriesOnSale,
    SingleOnSale,
    effective_sales_mode,
    price_label,
    text,
)

S12, S15, S12_OUT, S0 = (
    SingleOnSale(1200),
    SingleOnSale(1500),
    SingleOnSale(1200, sold_out=True),
    SingleOnSale(0),
)
C100, C80, C100_OUT, C50_OF_100, C0 = (
    SeriesOnSale(10_000, 10_000),
    SeriesOnSale(8_000, 8_000),
    SeriesOnSale(10_000, 10_000, sold_out=True),
    SeriesOnSale(5_000, 10_000),
    SeriesOnSale(0, 0),
)
S12_8, S12_12, S12_8_OUT = (
    SingleOnSale(1200, tiers_minor=(800, 1000)),
    SingleOnSale(1200, tiers_minor=(1200,)),
    SingleOnSale(1200, sold_out=True, tiers_minor=(800,)),
)
C100_70, C50_35, C100_FREE = (
    SeriesOnSale(10_000, 10_000, tiers_minor=(7_000,)),
    SeriesOnSale(5_000, 10_000, tiers_minor=(3_500,)),
    SeriesOnSale(10_000, 10_000, tiers_minor=(0,)),
)
SINGLE, SERIES, BOTH = SalesMode.SINGLE, SalesMode.SERIES, SalesMode.BOTH

TABLE: list[
    tuple[SalesMode, tuple[SingleOnSale, ...], tuple[SeriesOnSale, ...], PriceKind, str]
] = [
    # Only single sessions, whatever series there are.
    (SINGLE, (), (), PriceKind.SINGLE, "€11.00"),
    (SINGLE, (), (C100,), PriceKind.SINGLE, "€11.00"),
    (SINGLE, (S12,), (C100,), PriceKind.SINGLE, "€12.00"),
    (SINGLE, (S12, S15), (), PriceKind.SINGLE, "From €12.00"),
    (SINGLE, (S12_OUT, S15), (), PriceKind.SINGLE, "€15.00"),
    (SINGLE, (S12_OUT,), (), PriceKind.SINGLE, "€12.00 · sold out"),
    (SINGLE, (S0,), (), PriceKind.SINGLE, "Free"),
    (SINGLE, (S0, S12), (), PriceKind.SINGLE, "Partly free"),
    # Only series, whatever sessions there are.
    (SERIES, (), (), PriceKind.NOTHING, "Next dates soon"),
    (SERIES, (S12,), (), PriceKind.NOTHING, "Next dates soon"),
    (SERIES, (S12,), (C100,), PriceKind.SERIES, "Series €100.00"),
    (SERIES, (), (C100, C100), PriceKind.SERIES, "Series €100.00"),
    (SERIES, (), (C100, C80), PriceKind.SERIES, "Series from €80.00"),
    (SERIES, (), (C100_OUT, C80), PriceKind.SERIES, "Series €80.00"),
    (SERIES, (), (C100_OUT,), PriceKind.SERIES, "Series €100.00 · sold out"),
    (SERIES, (), (C50_OF_100,), PriceKind.SERIES, "Series €50.00"),
    (SERIES, (), (C50_OF_100, C80), PriceKind.SERIES, "Series from €50.00"),
    (SERIES, (), (C0,), PriceKind.SERIES, "Free"),
    # Both, as far as both are really there.
    (BOTH, (), (), PriceKind.SINGLE, "€11.00"),
    (BOTH, (S12,), (), PriceKind.SINGLE, "€12.00"),
    (BOTH, (), (C100,), PriceKind.SERIES, "Series €100.00"),
    (BOTH, (S12,), (C100,), PriceKind.BOTH, "€12.00 · series €100.00"),
    (BOTH, (S12, S15), (C100, C80), PriceKind.BOTH, "From €12.00 · series from €80.00"),
    (BOTH, (S12_OUT,), (C100,), PriceKind.SERIES, "Series €100.00"),
    (BOTH, (S12,), (C100_OUT,), PriceKind.SINGLE, "€12.00"),
    (BOTH, (S12_OUT,), (C100_OUT,), PriceKind.BOTH, "€12.00 · series €100.00 · sold out"),
    (BOTH, (S0,), (C100,), PriceKind.BOTH, "Free · series €100.00"),
    (BOTH, (S12,), (C0,), PriceKind.BOTH, "€12.00 · series free"),
    (BOTH, (S0,), (C0,), PriceKind.BOTH, "Free"),
    # With prices beside the full one, the lowest that everybody can choose.
    (SINGLE, (S12_8,), (), PriceKind.SINGLE, "From €8.00"),
    (SINGLE, (S12_12,), (), PriceKind.SINGLE, "€12.00"),
    (SINGLE, (S12_8_OUT, S15), (), PriceKind.SINGLE, "€15.00"),
    (SINGLE, (S12_8_OUT,), (), PriceKind.SINGLE, "From €8.00 · sold out"),
    (SERIES, (), (C100_70,), PriceKind.SERIES, "Series from €70.00"),
    (SERIES, (), (C100_70, C80), PriceKind.SERIES, "Series from €70.00"),
    (SERIES, (), (C50_35,), PriceKind.SERIES, "Series from €35.00"),
    (SERIES, (), (C100_FREE,), PriceKind.SERIES, "Series partly free"),
    (BOTH, (S12_8,), (C100_70,), PriceKind.BOTH, "From €8.00 · series from €70.00"),
    (BOTH, (S12,), (C100_70,), PriceKind.BOTH, "€12.00 · series from €70.00"),
    (BOTH, (S12_8_OUT,), (C100_70,), PriceKind.SERIES, "Series from €70.00"),
]


def facts(
    mode: SalesMode, singles: tuple[SingleOnSale, ...], series: tuple[SeriesOnSale, ...]
) -> PriceFacts:
    return PriceFacts(
        currency="EUR",
        kind=ServiceKind.GROUP,
        sales_mode=mode,
        catalogue_minor=1100,
        singles=singles,
        series=series,
    )


@pytest.mark.parametrize(("mode", "singles", "series", "kind", "words"), TABLE)
def test_the_label(
    mode: SalesMode,
    singles: tuple[SingleOnSale, ...],
    series: tuple[SeriesOnSale, ...],
    kind: PriceKind,
    words: str,
) -> None:
    label = price_label(facts(mode, singles, series))
    assert label.kind is kind
    assert text(label, "en") == words


SINGLE_SIDES = [
    (),
    (S12_8,),
    (S12_8_OUT, S15),
    (S12,),
    (S12_OUT,),
    (S0,),
    (S12, S15),
    (S12_OUT, S15),
    (S0, S12_OUT),
]
SERIES_SIDES = [
    (),
    (C100_70,),
    (C50_35, C80),
    (C100,),
    (C100_OUT,),
    (C0,),
    (C100, C80),
    (C100_OUT, C80),
    (C50_OF_100,),
]


def payable(offers: Sequence[SingleOnSale | SeriesOnSale]) -> set[int]:
    return {
        price
        for offer in offers
        if not offer.sold_out
        for price in (offer.price_minor, *offer.tiers_minor)
    }


@pytest.mark.parametrize(
    ("mode", "singles", "series"), list(product(SalesMode, SINGLE_SIDES, SERIES_SIDES))
)
def test_every_combination_shows_only_what_can_be_had(
    mode: SalesMode, singles: tuple[SingleOnSale, ...], series: tuple[SeriesOnSale, ...]
) -> None:
    label = price_label(facts(mode, singles, series))
    payable_single = payable(singles) | {1100}
    payable_series = payable(series)
    if not label.sold_out:
        assert label.single_minor is None or label.single_minor in payable_single
        assert label.series_minor is None or label.series_minor in payable_series
    assert (label.single_minor is not None) == (label.kind in {PriceKind.SINGLE, PriceKind.BOTH})
    assert (label.series_minor is not None) == (label.kind in {PriceKind.SERIES, PriceKind.BOTH})
    assert mode is not SERIES or label.single_minor is None
    assert mode is not SINGLE or label.series_minor is None
    assert label.free == (
        label.kind is not PriceKind.NOTHING
        and not label.single_minor
        and not label.series_minor
        and not label.single_from
        and not label.series_from
    )
    assert text(label, "en")


def test_the_full_price_is_struck_for_one_running_series_only() -> None:
    assert price_label(facts(SERIES, (), (C50_OF_100,))).struck_full_minor == 10_000
    assert price_label(facts(SERIES, (), (C50_OF_100, C100))).struck_full_minor is None
    assert price_label(facts(SERIES, (), (C100,))).struck_full_minor is None
    assert price_label(facts(SERIES, (), (C50_35,))).struck_full_minor is None


def test_without_dates_the_catalogue_has_its_other_prices_too() -> None:
    empty = replace(facts(SINGLE, (), ()), catalogue_tiers_minor=(700,))
    assert text(price_label(empty), "en") == "From €7.00"


def test_an_appointment_shows_its_own_price_in_every_mode() -> None:
    for mode in SalesMode:
        appointment = PriceFacts(
            currency="JPY",
            kind=ServiceKind.APPOINTMENT,
            sales_mode=mode,
            catalogue_minor=4500,
            series=(C100,),
        )
        assert text(price_label(appointment), "en") == "¥4,500"


def test_without_a_price_or_date_nothing_is_promised() -> None:
    empty = PriceFacts(
        currency="EUR", kind=ServiceKind.GROUP, sales_mode=BOTH, catalogue_minor=None
    )
    assert price_label(empty).kind is PriceKind.NOTHING


def test_amounts_follow_the_reader() -> None:
    assert text(price_label(facts(SINGLE, (S12,), ())), "de") == "12,00\u00a0€"


@pytest.mark.parametrize(
    ("mode", "singles", "series", "expected"),
    [
        (BOTH, True, True, BOTH),
        (BOTH, True, False, SINGLE),
        (BOTH, False, True, SERIES),
        (BOTH, False, False, BOTH),
        (SINGLE, False, True, SINGLE),
        (SERIES, True, False, SERIES),
    ],
)
def test_both_is_the_side_that_is_there(
    mode: SalesMode, singles: bool, series: bool, expected: SalesMode
) -> None:
    found = effective_sales_mode(mode, singles_published=singles, series_published=series)
    assert found is expected
