"""The distribution behind the drift checks, held against scipy's, which serving runs without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from serving.monitoring.chi_square import least_noncentrality, tail

degrees = st.integers(1, 40)


@given(degrees=degrees, noncentrality=st.floats(0.01, 2_000), deviations=st.floats(-4, 6))
def test_the_tail_is_scipys(degrees: int, noncentrality: float, deviations: float) -> None:
    mean, variance = degrees + noncentrality, 2 * (degrees + 2 * noncentrality)
    x = max(0.01, mean + deviations * variance**0.5)
    assert tail(x, degrees, noncentrality) == pytest.approx(
        stats.ncx2.sf(x, degrees, noncentrality), rel=1e-6, abs=1e-9
    )


@given(degrees=degrees, x=st.floats(0.001, 500))
def test_without_noncentrality_it_is_the_chi_square_distribution(degrees: int, x: float) -> None:
    assert tail(x, degrees) == pytest.approx(stats.chi2.sf(x, degrees), rel=1e-9, abs=1e-300)


def test_all_of_it_lies_above_nothing() -> None:
    assert tail(0, 3, 7) == 1


@given(degrees=degrees, x=st.floats(1, 20_000), chance=st.floats(1e-6, 0.1))
def test_at_the_least_noncentrality_the_value_has_just_this_chance(degrees: int, x: float, chance: float) -> None:
    least = least_noncentrality(x, degrees, chance)
    if least == 0:
        assert tail(x, degrees) >= chance
    else:
        assert tail(x, degrees, least) == pytest.approx(chance, rel=1e-3)
