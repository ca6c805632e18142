"""Real cohorts in every form laboratories use: the same scores, or a refusal with advice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nkpredict import Registry, read_expression
from nkpredict.registry import Bundle
from nkpredict.shipped import shipped_path
from tests.variants import VARIANTS, Variant, check

pytestmark = pytest.mark.real_data
COHORTS = {
    "STAR counts": "patients/aml100_star_counts_genes_x_samples.csv.gz",
    "log2 pTPM": "expression/hpa_cell_lines_log2ptpm.csv.gz",
    "RMA": "patients/chiaretti_all_log2rma_genes_x_samples.csv.gz",
}


@pytest.fixture(scope="module")
def prior() -> Bundle:
    return Registry().load(shipped_path("models") / "screen-prior" / "bundle")


@pytest.fixture(scope="module", params=COHORTS)
def tables(request, shared_data: Path) -> dict[str, pd.DataFrame]:
    """Eight samples under approved symbols, as log2 values with four digits and as counts."""
    read = read_expression(shared_data / COHORTS[request.param]).to_df().iloc[8:16].T
    highest = read.max(axis=1)
    # a sheet of Excel has 16,384 columns at most
    kept = (highest > 1) & (highest.rank(ascending=False) <= 16_000)
    log2 = read[kept].astype(float).round(4).rename_axis(None)
    log2.columns = [f"case {number}" for number in range(1, 9)]
    return {"log2": log2, "counts": np.round(10 * (2.0**log2 - 1)).clip(lower=0).astype(int)}


@pytest.mark.filterwarnings("ignore:Writing zarr v2 data:UserWarning")
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_variant_is_right_or_refused_with_advice(
    variant: Variant, prior: Bundle, tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    check(variant, prior, tables, tmp_path)
