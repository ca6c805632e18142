"""Facts are written as JSON and h5ad and read back, and a misspelt one is refused."""

from __future__ import annotations

import ast
import json
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import anndata
import numpy as np
import pytest

from nkpredict import read_panel
from nkpredict.errors import InputError
from nkpredict.facts import (
    SCHEMA_VERSION,
    ModelFacts,
    PerformanceFacts,
    ReadFacts,
    ResponseFacts,
    ScoringFacts,
    SkillFacts,
    TrainingFacts,
)
from nkpredict.io import facts_of, to_json
from nkpredict.simulate import simulate_study
from tests.scored import provenance_of

PACKAGE = Path(__file__).parents[2] / "nkpredict"


def test_facts_of_scores_come_back_from_json() -> None:
    facts = provenance_of(4)
    # NaN is equal to nothing, so it is looked at apart
    facts = replace(facts, model=replace(facts.model, performance=None))
    assert ScoringFacts.from_json(json.loads(to_json(facts.to_json()))) == facts


def test_facts_of_a_panel_come_back_from_h5ad(tmp_path: Path) -> None:
    study = simulate_study(tmp_path / "study", n_genes=150, n_patients=2, random_state=0)
    panel = read_panel(
        study.expression, study.viability, obs=study.lines, replicates=study.replicates
    )
    assert facts_of(panel).simulated
    panel.write_h5ad(tmp_path / "panel.h5ad")
    assert facts_of(anndata.read_h5ad(tmp_path / "panel.h5ad")) == facts_of(panel)


def test_profiles_of_another_source_have_no_facts() -> None:
    assert facts_of(anndata.AnnData(np.zeros((2, 2)))) == ReadFacts()


def test_numbers_that_json_does_not_know() -> None:
    facts = PerformanceFacts(
        split="random", model="m", spearman=1.0, spearman_within_lineage=float("nan"), rmse=0.1
    )
    written = json.loads(to_json(facts.to_json()))
    assert written["spearman_within_lineage"] is None
    back = PerformanceFacts.from_json(written)
    assert np.isnan(back.spearman_within_lineage)
    assert replace(back, spearman_within_lineage=0.0) == replace(facts, spearman_within_lineage=0.0)


def test_what_is_not_known_is_left_out() -> None:
    facts = ModelFacts(training=TrainingFacts(response=ResponseFacts(offset=1.0, slope=-1.0)))
    assert ModelFacts().to_json() == {
        "schema_version": SCHEMA_VERSION,
        "simulated": False,
        "knowledge_only": False,
    }
    assert set(facts.to_json()["training"]) == {"response"}
    assert ModelFacts.from_json(facts.to_json()) == facts


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"schema_version": SCHEMA_VERSION + 1}, "Update nkpredict"),
        ({"schema_version": 1, "nmae": "m"}, r"ModelFacts has the unknown facts nmae"),
        ({"schema_version": 1, "training": {"sample": 3}}, "TrainingFacts has the unknown facts"),
        ({"name": 3}, r"ModelFacts.name is 3; expected str"),
        ({"simulated": "no"}, r"ModelFacts.simulated is 'no'; expected bool"),
        ({"performance": [{"split": "random", "model": "m"}]}, "lacks the facts spearman"),
    ],
)
def test_altered_facts_are_refused(content, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ModelFacts.from_json(content)


def test_facts_before_they_were_typed_may_hold_more() -> None:
    old = {"name": "m", "note of a user": 1, "training": {"screens": {}, "samples": 3}}
    assert ModelFacts.from_json(old) == ModelFacts(name="m", training=TrainingFacts(samples=3))


def test_facts_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        SkillFacts().spearman = 1.0


def test_simulated_profiles_or_models_make_simulated_scores() -> None:
    for profiles, model in ((False, False), (True, False), (False, True)):
        facts = replace(provenance_of(3), profiles_simulated=profiles)
        facts = replace(facts, model=replace(facts.model, simulated=model))
        assert facts.simulated == (profiles or model)
        assert facts.to_json()["simulated"] == facts.simulated


def looked_up_by_string(path: Path) -> list[str]:
    """Places where something called facts, provenance, metadata or uns is read by a string."""
    places = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Subscript):
            owner, key = node.value, node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr != "get" or not node.args:
                continue
            owner, key = node.func.value, node.args[0]
        else:
            continue
        name = getattr(owner, "attr", None) or getattr(owner, "id", "")
        named = name.split("_")[-1] in ("provenance", "metadata", "facts", "uns")
        if named and isinstance(key, ast.Constant) and isinstance(key.value, str):
            places.append(f"{path.name}:{node.lineno}")
    return places


@pytest.mark.slow
def test_no_fact_is_looked_up_by_a_string() -> None:
    assert not [
        place for path in sorted(PACKAGE.rglob("*.py")) for place in looked_up_by_string(path)
    ]
