import numpy as np
import pandas as pd
import pytest

from nkpredict import GeneEvidence
from nkpredict.errors import InputError
from nkpredict.facts import EvidenceFacts
from nkpredict.simulate import EVIDENCE_QUALITIES, MECHANISMS, plant_response
from nkpredict.simulate._biology import NK_GENES


@pytest.fixture(scope="module")
def expression() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    genes = [*sorted(NK_GENES), *(f"GENE{i}" for i in range(200))]
    return pd.DataFrame(
        rng.normal(size=(60, len(genes))), columns=genes, index=[f"L{i}" for i in range(60)]
    )


LINEAGES = np.repeat(["AML", "BCL", "MM"], 20)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_same_seed_same_response(expression: pd.DataFrame, mechanism: str) -> None:
    first, again = (plant_response(expression, LINEAGES, mechanism) for _ in range(2))
    pd.testing.assert_series_equal(first.susceptibility, again.susceptibility)
    assert len(first.drivers) == 30
    assert first.drivers["known"].sum() == len(first.decoys) == 18
    assert not set(first.decoys) & set(first.drivers.index)
    assert len(set(first.drivers.index) & NK_GENES) == 18
    assert (first.drivers["effect"] == 0).all() == (mechanism == "lineage-only")


def test_noise_free_additive_response_is_the_sum_of_the_drivers(expression: pd.DataFrame) -> None:
    planted = plant_response(expression, LINEAGES, noise_sd=0.0)
    chosen = expression[planted.drivers.index]
    total = (chosen - chosen.mean()) / chosen.std() @ planted.drivers["effect"]
    assert np.corrcoef(total, planted.susceptibility)[0, 1] > 1 - 1e-9


@pytest.mark.parametrize("quality", EVIDENCE_QUALITIES)
def test_evidence_fits_the_contract(expression: pd.DataFrame, quality: str) -> None:
    planted = plant_response(expression, LINEAGES, random_state=3)
    evidence = GeneEvidence(planted.evidence(quality), EvidenceFacts(simulated=True))
    assert len(evidence.table) == 36
    known = planted.drivers[planted.drivers["known"]]
    signs = np.sign(evidence.for_genes(list(known.index)))
    if quality == "true":
        assert (signs == known["sign"]).all()
    elif quality == "half-wrong":
        assert set(np.unique(signs * known["sign"])) == {-1.0, 1.0}
    else:
        assert not signs.any()


def test_too_few_genes_are_refused(expression: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="Name fewer drivers"):
        plant_response(expression.iloc[:, :50], LINEAGES)
