"""Units of expression: told from the values, brought to a log2 scale, each sample by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nkpredict.errors import InputError
from nkpredict.io._units import UNIT_WORDS, check_unit, detect_unit, refine_linear, to_log2

LINEAR = arrays(np.float32, (3, 8), elements=st.floats(0, 1e6, width=32))


def expression(seed: int = 0) -> np.ndarray:
    """Return log2(TPM + 1) like values: a third of the genes silent, the highest near 16."""
    rng = np.random.default_rng(seed)
    values = np.clip(rng.normal(4, 3, (20, 400)), 0, 16)
    values[:, ::3] = 0
    return values


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        (expression(), "log2"),
        (np.round(2 ** expression() - 1), "counts"),
        (2 ** expression() - 1 + 0.01, "linear"),
        (np.clip(expression(), 2.5, 14), "log2_intensity"),
        (expression() - 4, "standardised"),
        (np.where(np.arange(400) % 7, 2.0 ** expression(), np.nan), "linear"),
        # the largest log2 values that files hold: intensities of 16 bits, TPM of one gene alone
        (np.clip(expression() * 1.3, 2.5, 20), "log2_intensity"),
        (expression() * 1.25, "log2"),
        # one sample of few whole log2 values is no count table
        (np.array([[0.0, 3.0, 12.0]]), "log2"),
        (np.array([[0.0, 31.0, 12.0]]), "counts"),
    ],
)
def test_units_are_told_from_the_values(values: np.ndarray, unit: str) -> None:
    assert detect_unit(values, "a.csv") == unit
    assert check_unit(unit) == unit


def test_a_few_silent_genes_do_not_turn_intensities_into_log2_tpm() -> None:
    values = np.clip(expression(), 2.5, 14)
    values[0, :2] = 0
    assert detect_unit(values, "a.csv") == "log2_intensity"


def test_counts_with_negative_numbers_are_refused() -> None:
    counts = np.round(2 ** expression())
    counts[3, 5] = -1
    with pytest.raises(InputError, match=r"a\.csv looks like raw counts .* has 1 negative value "):
        detect_unit(counts, "a.csv")


def test_tpm_is_told_by_its_sum() -> None:
    linear = 2 ** expression()
    share = linear / linear.sum(axis=1, keepdims=True)
    assert refine_linear(1e6 * share) == "tpm"
    assert refine_linear(0.95e6 * share) == "tpm"  # files cut down to the protein-coding genes
    assert refine_linear(0.5e6 * share) == "linear"
    one_off = 1e6 * share
    one_off[4] *= 3
    assert refine_linear(one_off) == "linear"


def test_an_unknown_unit_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="'rpm' is unknown; expected one of counts, tpm"):
        check_unit("rpm")


@settings(max_examples=50)
@given(LINEAR)
def test_what_is_on_a_log_scale_stays_and_the_rest_keeps_its_order(values: np.ndarray) -> None:
    for unit in ("log2", "log2_intensity", "standardised"):
        same, transform = to_log2(values, unit, "a.csv")
        assert same is values
        assert transform == "none"
    for unit in ("tpm", "linear"):
        logged, _ = to_log2(values, unit, "a.csv")
        np.testing.assert_allclose(np.exp2(logged) - 1, values, rtol=1e-4, atol=1e-4)


@settings(max_examples=50)
@given(LINEAR, st.integers(2, 1000))
def test_counts_do_not_depend_on_depth_or_company(values: np.ndarray, depth: int) -> None:
    counts = np.floor(values) + np.float32(1)
    logged, transform = to_log2(counts, "counts", "a.csv")
    assert "no gene length" in transform
    np.testing.assert_allclose((np.exp2(logged.astype(float)) - 1).sum(axis=1), 1e6, rtol=1e-3)
    deeper, _ = to_log2(counts * np.float32(depth), "counts", "a.csv")
    np.testing.assert_allclose(deeper, logged, atol=1e-4)
    np.testing.assert_array_equal(to_log2(counts[[1]], "counts", "a.csv")[0], logged[[1]])


def test_impossible_values_are_refused() -> None:
    with pytest.raises(InputError, match=r"given as TPM but has negative values \(lowest -2\)"):
        to_log2(np.array([[1.0, -2.0]]), "tpm", "a.csv")
    with pytest.raises(InputError, match="has 1 samples without a single read"):
        to_log2(np.array([[1.0, 2.0], [0.0, np.nan]]), "counts", "a.csv")


def test_every_unit_has_words() -> None:
    assert all(check_unit(unit) for unit in UNIT_WORDS)
