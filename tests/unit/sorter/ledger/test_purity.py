"""The interval of an audit holds what it promises: nobody is told a bin is purer than the count can say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.ledger import audited_purity
from sorter.ledger.purity import _at_most


def test_the_interval_is_that_of_clopper_and_pearson() -> None:
    # R's binom.test: 18 of 20, 81 of 263; and 1 - 0.025^(1/n) where all are right.
    for right, counted, low, high in ((18, 20, 0.6830173, 0.9876515), (81, 263, 0.2527, 0.3676)):
        purity = audited_purity(counted, counted - right)
        assert purity.low == pytest.approx(low, abs=5e-4)
        assert purity.high == pytest.approx(high, abs=5e-4)
    assert audited_purity(29, 0).low == pytest.approx(0.025 ** (1 / 29))
    assert audited_purity(29, 29).high == pytest.approx(1 - 0.025 ** (1 / 29))
    assert (audited_purity(29, 0).high, audited_purity(29, 29).low) == (1.0, 0.0)


@given(st.integers(1, 400).flatmap(lambda counted: st.tuples(st.just(counted), st.integers(0, counted))))
def test_beyond_its_ends_the_count_would_be_a_rare_one(audit: tuple[int, int]) -> None:
    counted, wrong = audit
    purity = audited_purity(counted, wrong)
    assert purity.share is not None
    assert 0.0 <= purity.low <= purity.share <= purity.high <= 1.0
    if purity.low > 0.0:
        assert _at_most(wrong, counted, 1.0 - purity.low) == pytest.approx(0.025, rel=1e-6)
    if purity.high < 1.0:
        assert _at_most(purity.right, counted, purity.high) == pytest.approx(0.025, rel=1e-6)


def test_of_nothing_nothing_is_known_and_numbers_that_cannot_be_are_refused() -> None:
    nothing = audited_purity(0, 0)
    assert (nothing.share, nothing.low, nothing.high) == (None, 0.0, 1.0)
    for counted, wrong in ((3, 4), (3, -1), (-1, 0)):
        with pytest.raises(ValueError, match="at most as many wrong ones"):
            audited_purity(counted, wrong)
