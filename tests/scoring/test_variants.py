"""The shipped cohort in every form laboratories use: the same scores, or a refusal with advice."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nkpredict import Registry
from nkpredict.registry import Bundle
from nkpredict.shipped import shipped_path
from tests.variants import VARIANTS, Variant, check

EXAMPLE = Path(__file__).parents[2] / "data" / "examples" / "chiaretti_all.parquet"


@pytest.fixture(scope="module")
def prior() -> Bundle:
    return Registry().load(shipped_path("models") / "screen-prior" / "bundle")


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    log2 = pd.read_parquet(EXAMPLE).set_index("gene").iloc[:, :8].add_prefix("P").rename_axis(None)
    return {"log2": log2, "counts": (2.0**log2).round().astype(int)}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Writing zarr v2 data:UserWarning")
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_variant_is_right_or_refused_with_advice(
    variant: Variant, prior: Bundle, tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    check(variant, prior, tables, tmp_path)


def test_there_are_many_variants() -> None:
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS) >= 60
