"""Evidence helps when it is true, and is left aside when it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict.errors import InputError
from nkpredict.evidence import GeneEvidence
from nkpredict.learn import EvidenceBoosting, EvidenceRidge, NKSusceptibilityModel


@pytest.fixture(scope="module")
def study() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return 160 samples × 600 genes, a response of 12 weak drivers, and their true signs."""
    rng = np.random.default_rng(11)
    values = pd.DataFrame(rng.normal(size=(160, 600)), columns=[f"G{i:03d}" for i in range(600)])
    truth = np.zeros(600)
    truth[::50] = rng.choice([-1.0, 1.0], 12)
    signal = values.to_numpy() @ truth
    return values, signal + rng.normal(0, 3, 160), truth


def skill(evidence: object, study, learner=EvidenceRidge) -> float:
    values, response, truth = study
    fitted = learner(evidence=evidence).fit(values.iloc[:80], response[:80])
    signal = values.iloc[80:].to_numpy() @ truth
    return float(np.corrcoef(fitted.predict(values.iloc[80:]), signal)[0, 1])


@pytest.mark.parametrize("learner", [EvidenceRidge, EvidenceBoosting])
def test_true_evidence_helps(study, learner) -> None:
    assert skill(study[2], study, learner) > skill(None, study, learner) + 0.1


def test_wrong_evidence_is_not_trusted(study) -> None:
    values, response, truth = study
    wrong = np.random.default_rng(0).permutation(truth)
    assert skill(wrong, study) > skill(None, study) - 0.1
    fitted = EvidenceRidge(evidence=truth).fit(values, response)
    assert fitted.trust_ + fitted.direction_ > 0.4


@pytest.mark.filterwarnings("ignore::nkpredict.learn.ChanceSkillWarning")
@pytest.mark.parametrize("learner", [EvidenceRidge, NKSusceptibilityModel])
def test_an_axis_that_is_wrong_takes_no_trust_from_one_that_is_right(study, learner) -> None:
    values, _, truth = study
    drivers, wrong = np.flatnonzero(truth), np.flatnonzero(truth) + 7
    table = pd.DataFrame(
        {
            "evidence": [*truth[drivers], *-truth[drivers]],
            "confidence": 0.9,
            "n_screens": 1,
            "agreement": 1.0,
            "conflict": False,
            "axis": ["ligands"] * len(drivers) + ["death"] * len(wrong),
        },
        index=pd.Index(values.columns[[*drivers, *wrong]], name="gene"),
    )
    right = table[table["axis"] == "ligands"]
    by_axis, together, alone = (
        skill(GeneEvidence(one), study, learner)
        for one in (table, table.drop(columns="axis"), right)
    )
    assert by_axis > together + 0.01
    assert by_axis > alone - 0.03
    rows = np.array([truth, np.zeros(len(truth))])
    rows[1, wrong] = -truth[drivers]
    assert skill(0.9 * rows, study, learner) == pytest.approx(by_axis, abs=0.01)


def test_trust_is_averaged_and_wrong_evidence_has_next_to_none(study) -> None:
    values, response, truth = study
    fitted = EvidenceRidge(evidence=truth).fit(values, response)
    assert fitted.trust_ not in (0.0, *EvidenceRidge().trust)  # a mean, not a choice
    wrong = [np.random.default_rng(seed).permutation(truth) for seed in range(5)]
    shares = [
        ridge.trust_ + ridge.direction_
        for ridge in (EvidenceRidge(evidence=one).fit(values, response) for one in wrong)
    ]
    assert np.mean(shares) < 0.15 < fitted.trust_ + fitted.direction_


@pytest.mark.parametrize("evidence", [None, np.zeros(600), "unknown genes"])
def test_no_evidence_and_evidence_of_no_gene_are_the_same_to_the_last_bit(study, evidence) -> None:
    values, response, _ = study
    if isinstance(evidence, str):
        table = pd.DataFrame(
            {"evidence": [0.5], "confidence": 0.5, "n_screens": 1, "agreement": 1.0},
            index=pd.Index(["ELSEWHERE"], name="gene"),
        ).assign(conflict=False, axis="ligands")
        evidence = GeneEvidence(table)
    plain = EvidenceRidge().fit(values, response)
    fitted = EvidenceRidge(evidence=evidence).fit(values, response)
    assert fitted.coef_.tobytes() == plain.coef_.tobytes()
    assert (fitted.penalty_, fitted.trust_, fitted.direction_) == (1.0, 0.0, 0.0)


def test_monotone_constraints_follow_the_evidence(study) -> None:
    values, response, _ = study
    gene = int(np.argmax(np.abs(np.corrcoef(values.T, response)[-1, :-1])))
    sign = np.sign(np.corrcoef(values.iloc[:, gene], response)[0, 1])
    evidence = np.zeros(600)
    evidence[gene] = -sign
    fitted = EvidenceBoosting(evidence=evidence).fit(values, response)
    grid = pd.concat([values.mean().to_frame().T] * 9, ignore_index=True)
    grid.iloc[:, gene] = np.linspace(-3, 3, 9)
    steps = np.diff(fitted.predict(grid)) * -sign
    assert (steps >= -1e-12).all()


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        (np.zeros(3), r"shape \(3,\); expected \(600,\)"),
        (np.zeros((2, 3)), r"shape \(2, 3\); expected \(600,\)"),
        (np.full(600, 2.0), "between -1 and 1"),
        (np.full((2, 600), 0.6), "between -1 and 1"),
    ],
)
def test_evidence_of_the_wrong_kind_is_refused(study, evidence, message) -> None:
    with pytest.raises(InputError, match=message):
        EvidenceRidge(evidence=evidence).fit(study[0], study[1])
