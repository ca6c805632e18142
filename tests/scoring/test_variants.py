"""The shipped cohort in every form laboratories use: the same scores, or a refusal with advice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import Registry, score
from nkpredict.errors import InputError
from nkpredict.registry import Bundle
from nkpredict.shipped import shipped_path
from tests.variants import VARIANTS, Cohort, Variant

EXAMPLE = Path(__file__).parents[2] / "data" / "examples" / "chiaretti_all.parquet"


@pytest.fixture(scope="module")
def prior() -> Bundle:
    return Registry().load(shipped_path("models") / "screen-prior" / "bundle")


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    log2 = pd.read_parquet(EXAMPLE).set_index("gene").iloc[:, :8].add_prefix("P").rename_axis(None)
    return {"log2": log2, "counts": (2.0**log2).round().astype(int)}


@pytest.fixture(scope="module")
def expected(prior: Bundle, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    plain = {name: score(table.T, prior).table for name, table in tables.items()}
    return plain | {"first counts": plain["counts"].iloc[:1]}


@pytest.mark.filterwarnings("ignore:Writing zarr v2 data:UserWarning")
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_variant_is_right_or_refused_with_advice(
    variant: Variant,
    prior: Bundle,
    tables: dict[str, pd.DataFrame],
    expected: dict[str, pd.DataFrame],
    tmp_path: Path,
) -> None:
    source = variant.make(Cohort(tables["log2"].copy(), tables["counts"].copy(), tmp_path))
    if variant.refused is not None:
        with pytest.raises(InputError, match=variant.refused):
            score(source, prior, **variant.options)
        return
    scored = score(source, prior, **variant.options).table
    right = expected[variant.base]
    assert variant.numbered or list(scored.index) == list(right.index)
    np.testing.assert_allclose(scored["susceptibility"], right["susceptibility"], atol=1e-4)
