from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from nkpredict import (
    GeneEvidence,
    NKSusceptibilityModel,
    ScreenPrior,
    load_bundle,
    save_bundle,
    score,
)
from nkpredict.errors import InputError
from nkpredict.evidence import DIRECT, gene_functions, known_experiments
from nkpredict.learn import EvidenceRidge
from nkpredict.shipped import shipped_path
from nkpredict.vocabulary import Axis

EXAMPLE = Path(__file__).parents[2] / "data" / "examples" / "chiaretti_all.parquet"


@pytest.fixture(scope="module")
def shipped() -> ScreenPrior:
    return load_bundle(shipped_path("models", "screen-prior", "bundle")).model


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    return pd.read_parquet(EXAMPLE).set_index("gene").T.astype(float)


@pytest.fixture(scope="module")
def read(shipped) -> pd.Series:
    """Signed weight of each gene that the shipped model reads."""
    weights = pd.Series(shipped.effect_, index=shipped.feature_names_in_)
    return weights[weights != 0]


def evidence_of(signed: dict[str, float]) -> GeneEvidence:
    table = pd.DataFrame(
        {"evidence": signed, "confidence": 1.0, "n_screens": 1, "agreement": 1.0, "conflict": False}
    )
    return GeneEvidence(table)


def profiles_of(genes: list[str], samples: int = 40, seed: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        np.random.default_rng(seed).normal(5, 1, (samples, len(genes))), columns=genes
    )


def test_no_gene_is_lent_the_sign_of_its_group(read: pd.Series) -> None:
    for gene in ("FAS", "TNFRSF10B", "CASP8", "BAX", "BAK1", "ICAM1", "CD58", "NCR3LG1", "MICA"):
        assert read[gene] > 0, gene
    for gene in ("BCL2", "BCL2L1", "MCL1", "XIAP", "BIRC2", "CFLAR", "SERPINB9", "B2M", "HLA-E",
                 "SPN", "RNF31"):  # fmt: skip
        assert read[gene] < 0, gene
    directions = known_experiments().groupby("gene")["direction"].agg(set)
    for gene, weight in read.items():
        assert ("sensitizes" if weight > 0 else "protects") in directions[gene], gene


def test_regulators_and_genes_without_an_axis_are_not_read(read: pd.Series) -> None:
    described = gene_functions()
    assert set(described.loc[read.index, "role"]) == {DIRECT}
    assert "" not in set(described.loc[read.index, "axis"])
    assert not read.index.intersection(["MYC", "JAK1", "EZH2", "IRF4"]).size


def test_the_axes_sum_to_the_score(shipped: ScreenPrior, patients) -> None:
    axes = shipped.axis_scores(patients)
    assert list(axes.scores.columns) == [str(axis) for axis in Axis]
    np.testing.assert_allclose(axes.scores.sum(axis=1), shipped.predict(patients), atol=1e-12)
    assert ((axes.coverage >= 0) & (axes.coverage <= 1)).all(axis=None)
    assert ((axes.percentiles >= 0) & (axes.percentiles <= 100)).all(axis=None)


def test_a_sample_scores_alone_as_in_its_cohort(shipped: ScreenPrior, patients) -> None:
    together = shipped.predict(patients)
    assert shipped.predict(patients.iloc[[7]])[0] == together[7]
    parts, base = shipped.contributions(patients)
    np.testing.assert_allclose(parts.sum(axis=1) + base, together, atol=1e-12)


@pytest.mark.slow
def test_half_of_the_genes_keep_the_ranking_and_cost_coverage(
    shipped: ScreenPrior, patients
) -> None:
    rng = np.random.default_rng(0)
    half = patients[rng.permutation(patients.columns)[: patients.shape[1] // 2]]
    assert spearmanr(shipped.predict(patients), shipped.predict(half)).statistic > 0.5
    full, left = (shipped.weight_coverage(p).mean() for p in (patients, half))
    assert left < 0.9 * full


def test_direction_of_evidence_is_direction_of_score() -> None:
    reference = profiles_of([f"G{i}" for i in range(50)])
    model = ScreenPrior(evidence_of({"G0": 0.9, "G1": -0.9})).fit(reference)
    effect = pd.Series(model.effect_, index=model.feature_names_in_)
    assert effect["G0"] > 0 > effect["G1"]
    raised = reference.copy()
    raised["G0"] += 2
    assert (model.predict(raised) > model.predict(reference)).mean() > 0.9
    low, high = model.range_
    change = model.substituted(reference, high) - model.substituted(reference, low)
    assert (change[:, 0] > 0).all()
    assert (change[:, 1] < 0).all()


def test_a_mechanism_that_many_genes_read_counts_once() -> None:
    hla = ["HLA-A", "HLA-B", "HLA-C"]
    genes = [*hla, "HLA-E", *(f"G{i}" for i in range(30))]
    model = ScreenPrior(evidence_of(dict.fromkeys(genes[:4], -0.9))).fit(profiles_of(genes))
    read = model.feature_names_in_[model.axis_score.positions_]
    weight = pd.Series(model.axis_score.weights_[0], read)
    assert weight[hla].sum() == pytest.approx(weight["HLA-E"])


def test_profiles_are_compared_within_the_platform_they_resemble() -> None:
    genes = [f"G{i}" for i in range(200)]
    rng = np.random.default_rng(3)
    first = profiles_of(genes, seed=4) + np.linspace(0, 6, 200)
    second = profiles_of(genes, seed=5) + rng.permutation(np.linspace(0, 6, 200))
    platform = ["first"] * 40 + ["second"] * 40
    both = pd.concat([first, second], ignore_index=True)
    model = ScreenPrior(evidence_of({"G0": 0.9, "G199": -0.9})).fit(both, platform=platform)
    scores = model.predict(both)
    assert abs(np.median(scores[:40]) - np.median(scores[40:])) < 0.5 * scores.std()
    apart = ScreenPrior(evidence_of({"G0": 0.9, "G199": -0.9})).fit(both)
    mixed = apart.predict(both)
    assert abs(np.median(mixed[:40]) - np.median(mixed[40:])) > mixed.std()


def test_a_missing_gene_is_estimated_from_the_genes_it_moves_with() -> None:
    reference = profiles_of([f"G{i}" for i in range(60)], samples=80)
    for gene in ("G1", "G2", "G3"):
        reference[gene] = reference["G0"] + 0.3 * reference[gene]
    model = ScreenPrior(evidence_of({"G0": 0.9})).fit(reference)
    without = reference.drop(columns="G0")
    assert spearmanr(model.predict(without), model.predict(reference)).statistic > 0.7
    coverage = model.weight_coverage(without)
    assert ((coverage > 0.25) & (coverage < 1)).all()
    alone = reference.drop(columns=["G0", "G1", "G2", "G3"])
    np.testing.assert_array_equal(model.weight_coverage(alone), 0)
    np.testing.assert_array_equal(model.predict(alone), 0)


@pytest.mark.slow
def test_other_effectors_weigh_genes_otherwise(shipped: ScreenPrior, patients) -> None:
    other = shipped.for_effector("NK-92")
    assert not np.allclose(other.predict(patients), shipped.predict(patients))
    assert shipped.effector == "primary NK"
    again = other.for_effector("primary NK")
    np.testing.assert_array_equal(again.predict(patients), shipped.predict(patients))
    parts, base = other.contributions(patients)
    np.testing.assert_allclose(parts.sum(axis=1) + base, other.predict(patients), atol=1e-12)
    assert np.isnan(other.predict_interval(patients)).all()
    with pytest.raises(InputError, match="no effector 'T cells'; expected one of primary NK"):
        shipped.for_effector("T cells")


def test_it_comes_back_from_its_bundle_to_the_last_bit(tmp_path: Path) -> None:
    genes = ["B2M", "HLA-E", "ICAM1", "FAS", "BCL2", *(f"G{i}" for i in range(40))]
    reference = profiles_of(genes)
    platform = ["a"] * 20 + ["b"] * 20
    model = ScreenPrior().fit(reference, platform=platform, group=["x", "y"] * 20)
    loaded = load_bundle(save_bundle(model, tmp_path / "bundle")).model
    np.testing.assert_array_equal(loaded.predict(reference), model.predict(reference))
    np.testing.assert_array_equal(loaded.novelty(reference), model.novelty(reference))
    one, two = (m.for_effector("NK-92") for m in (loaded, model))
    np.testing.assert_array_equal(one.predict(reference), two.predict(reference))
    np.testing.assert_array_equal(one.percentile(np.zeros(1)), two.percentile(np.zeros(1)))


@pytest.mark.slow
def test_scores_say_that_they_are_knowledge_only_and_for_which_cells(patients, tmp_path) -> None:
    scores = score(patients.iloc[:5], registry=tmp_path, effector="car nk")
    assert scores.provenance.model.name == "screen-prior"
    assert (scores.table["flags"].str.contains("knowledge_only")).all()
    assert scores.table[["lower", "upper"]].isna().all(axis=None)
    assert "trained on no measured response" in scores.provenance.warnings[0]
    assert "Read for CAR-NK cells" in scores.provenance.warnings[1]
    assert set(scores.axes["axis"]) == {str(axis) for axis in Axis}
    assert scores.axes.groupby("sample")["score"].sum().to_numpy() == pytest.approx(
        scores.table["susceptibility"].sort_index().to_numpy()
    )


def test_a_trained_model_is_about_the_cells_of_its_response() -> None:
    profiles = profiles_of([f"G{i}" for i in range(50)])
    model = NKSusceptibilityModel(learners=[EvidenceRidge()], folds=3)
    model.fit(profiles, profiles["G0"])
    with pytest.raises(InputError, match="leave the effector out"):
        score(profiles, model, effector="NK-92")
