from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from nkpredict import NKSusceptibilityModel, load_bundle, save_bundle, score
from nkpredict.errors import InputError
from nkpredict.io import add_genetics, facts_of


@pytest.fixture
def profiles() -> anndata.AnnData:
    rng = np.random.default_rng(0)
    samples = [f"S{i}" for i in range(60)]
    adata = anndata.AnnData(
        pd.DataFrame(
            rng.normal(5, 2, (60, 80)), index=samples, columns=[f"G{i}" for i in range(80)]
        )
    )
    return adata


@pytest.fixture
def mutations(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        rng.integers(0, 2, (40, 3)),
        index=[f"S{i}" for i in range(40)],
        columns=["TP53", "B2M", "X"],
    )
    path = tmp_path / "mutations.csv"
    table.rename_axis("sample").to_csv(path)
    return path


@pytest.mark.filterwarnings("ignore:Unseen samples are predicted no better")
def test_a_mutation_that_decides_is_learned_stored_and_missing_ones_count_as_average(
    profiles: anndata.AnnData, mutations: Path, tmp_path: Path
) -> None:
    add_genetics(profiles, mutations)
    facts = facts_of(profiles).genetics
    assert facts.samples_with_genetics == 40
    assert facts.samples_without_genetics == 20
    mutated = profiles.obsm["genetics"]["TP53"].to_numpy()
    rng = np.random.default_rng(2)
    response = np.nan_to_num(mutated, nan=0.5) + 0.2 * rng.normal(size=60)
    model = NKSusceptibilityModel().fit(profiles, response)
    effect = pd.Series(model.effect_, index=model.feature_names_in_)
    assert effect.idxmax() == "genetics:TP53"
    # genes are harmonised without looking at the genetics, which stay as they are
    harmonised = model.harmonised(profiles)
    np.testing.assert_array_equal(harmonised["genetics:TP53"], mutated)
    without = NKSusceptibilityModel().fit(profiles.to_df(), response).harmonised(profiles.to_df())
    pd.testing.assert_frame_equal(harmonised[without.columns], without)
    stored = load_bundle(save_bundle(model, tmp_path / "bundle")).model
    np.testing.assert_array_equal(stored.predict(profiles), model.predict(profiles))
    alone = anndata.AnnData(profiles.to_df())
    scores = score(alone, model, genetics=mutations)
    np.testing.assert_array_equal(scores.table["susceptibility"], model.predict(profiles))
    assert np.isfinite(score(alone, model).table["susceptibility"]).all()


def test_genetics_of_other_samples_are_refused(profiles: anndata.AnnData, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("sample,TP53\nA,1\nB,0\n")
    with pytest.raises(InputError, match="none of the 60 samples"):
        add_genetics(profiles, path)


def test_rows_of_other_lengths_beside_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "genetics.csv").write_text("sample,TP53\nA,x\nB,1\n1,2,3\n")
    with pytest.raises(InputError, match="is not a well-formed table"):
        add_genetics(
            anndata.AnnData(np.ones((2, 1)), pd.DataFrame(index=["A", "B"])),
            tmp_path / "genetics.csv",
        )
