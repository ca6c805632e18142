"""Scores of a made-up cohort, with or without drugs, lineages and reference samples."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nkpredict.drugs import TargetTable, druggable_targets, rank_drugs, rank_drugs_by_sample
from nkpredict.drugs._table import TARGET_COLUMNS
from nkpredict.explain import genes_by_sample
from nkpredict.facts import (
    CoverageFacts,
    ExpressionFacts,
    ModelFacts,
    PerformanceFacts,
    ResponseFacts,
    ScoringFacts,
    SkillFacts,
    TrainingFacts,
)

TARGETED = {"HLA-E": "protects", "JAK1": "protects", "CD58": "sensitizes", "CD19": "protects"}
LABEL = "FDA label: an invented one"
# gene, drug, modality, action, effect, phase, liability, source of the liability, source
DRUGS = (
    ("HLA-E", "helpmab", "antibody", "antagonist", "lowers", "phase 2", "helps", "10.1016/j.x", ""),
    ("JAK1", "harmtinib", "small molecule", "inhibitor", "lowers", "approved", "harms", LABEL, ""),
    ("CD58", "raisetinib", "small molecule", "agonist", "raises", "phase 1", "unknown", "", ""),
    ("CD58", "wrongcept", "small molecule", "inhibitor", "lowers", "approved", "unknown", "", ""),
    (
        "CD19",
        "depletumab",
        "antibody",
        "depleting",
        "none",
        "approved",
        "unknown",
        "",
        "NCT01234567",
    ),
)


def with_everything(table, parts, resistance):
    rows = [
        {
            **dict.fromkeys(TARGET_COLUMNS, ""),
            "gene": gene,
            "drug": drug,
            "modality": modality,
            "action": action,
            "effect_on_gene": effect,
            "relation": "direct",
            "highest_phase": phase,
            "nk_liability": liability,
            "nk_liability_source": liability_source,
            "cytotoxic": "unknown",
            "measured_with_nk_cells": "no",
            "source": source or LABEL,
        }
        for gene, drug, modality, action, effect, phase, liability, *rest in DRUGS
        for liability_source, source in [rest]
    ]
    targets = TargetTable(pd.DataFrame(rows, columns=TARGET_COLUMNS))
    resistance["score"] = np.linspace(0.02, 0.001, len(resistance))
    resistance["category"] = resistance["gene"].map({"HLA-E": "antigen presentation"})
    resistance["category"] = resistance["category"].fillna("uncategorised")
    resistance["reference_percentile"] = 88.0
    resistance["perturbation_change"] = 0.013
    resistance["selection_frequency"] = 0.9
    resistance["driver_probability"] = np.nan
    pairs = druggable_targets(resistance, targets)
    rng = np.random.default_rng(5)
    ratios = pd.Index([0, 0.625, 1.25, 2.5, 5], name="ratio")
    killed = np.outer(table["susceptibility"].clip(0, 0.9), [0, 0.6, 0.9, 1, 1.1])
    separating = resistance.assign(
        reading="separating these samples",
        mean_least_susceptible=-0.01,
        mean_others=0.01,
        share_of_difference=1 / len(resistance),
    )
    return {
        "separating_genes": separating,
        "viability": pd.DataFrame(100 * (1 - killed), index=table.index, columns=ratios),
        "sample_genes": genes_by_sample(parts, parts, resistance),
        "targets": pairs,
        "drugs": rank_drugs(pairs),
        "sample_drugs": rank_drugs_by_sample(pairs, parts),
        "lineage": pd.Series(np.resize(["AML", "MM", None], len(table)), index=table.index),
        "reference": pd.DataFrame(
            {
                "susceptibility": rng.normal(0.4, 0.1, 40),
                "observed": np.nan,
                "lineage": np.resize(["AML", "BCL"], 40),
            }
        ),
    }


def provenance_of(n, simulated=False, file="patients.csv"):
    performance = tuple(
        PerformanceFacts(split=split, model=model, spearman=r, spearman_within_lineage=w, rmse=e)
        for split, model, r, w, e in (
            ("random", "mean", 0.0, 0.0, 0.21),
            ("random", "lineage mean", 0.44, 0.0, 0.18),
            ("random", "nkpredict", 0.61, 0.37, 0.16),
            ("lineage-held-out", "mean", -0.3, float("nan"), 0.22),
            ("lineage-held-out", "lineage mean", -0.28, float("nan"), 0.22),
            ("lineage-held-out", "nkpredict", 0.33, 0.31, 0.2),
        )
    )
    profiles = ExpressionFacts(
        file=file,
        sha256="ab" * 32,
        samples=n,
        orientation="genes-by-samples",
        orientation_given=False,
        identifiers="symbol",
        gene_reference="NCBI Gene",
        unit="log2",
        unit_words="log2(TPM + 1)",
        unit_given=True,
        transform="none",
        genes_in_file=12814,
        genes=12600,
        genes_renamed=214,
        genes_merged=3,
        gene_names_ambiguous=2,
        gene_names_unknown=41,
    )
    response = ResponseFacts(
        unit="viability AUC", susceptibility="1 - viability_auc", offset=1.0, slope=-1.0
    )
    return ScoringFacts(
        samples=n,
        profiles=profiles,
        profiles_simulated=simulated,
        genes=CoverageFacts(
            in_model=5778,
            found=5374,
            missing=404,
            missing_examples=("HLA-E", "MICA"),
            weight_missing=0.061,
        ),
        model=ModelFacts(
            name="nk-heme",
            registry_version=3,
            simulated=simulated,
            training=TrainingFacts(samples=63, lineages={"AML": 20, "T-ALL": 9}, response=response),
            skill=SkillFacts(spearman=0.52, p=1e-5),
            performance=performance,
            random_state=0,
        ),
        warnings=("404 of 5,778 genes of the model are missing.",),
    )


def build(n=6, genes=30, names=None, simulated=False, seed=0, full=False, **changes):
    rng = np.random.default_rng(seed)
    names = [f"S{i:03d}" for i in range(n)] if names is None else names
    n = len(names)
    parts = pd.DataFrame(
        rng.normal(0, 0.2 / np.sqrt(genes), (n, genes)) * rng.gamma(0.4, 2, genes),
        index=pd.Index(names, dtype=object),
        columns=[f"GENE{i}" for i in range(genes)],
    )
    base = 0.41
    value = base + parts.sum(axis=1)
    in_domain = np.arange(n) % 7 != 3
    table = pd.DataFrame(
        {
            "susceptibility": value,
            "lower": value - 0.17,
            "upper": value + 0.17,
            "percentile": 100 * value.rank(pct=True),
            "novelty": np.where(in_domain, 0.8, 1.4),
            "in_domain": in_domain,
            "gene_coverage": 0.93,
            "flags": np.where(in_domain, "", "out_of_domain;low_gene_coverage"),
            "original_scale": 1 - value,
            "lineage": np.resize(["AML", "T-ALL", "B-ALL"], n),
        },
        index=pd.Index(names, name="sample", dtype=object),
    )
    if full:
        parts = parts.rename(columns=dict(zip(parts.columns, TARGETED, strict=False)))
    mean = parts.mean().sort_values()
    resistance = pd.DataFrame(
        {
            "gene": mean.index,
            "mean_contribution": mean.to_numpy(),
            "lowest_contribution": parts.min()[mean.index].to_numpy(),
            "samples_resisting": (parts < 0).mean()[mean.index].to_numpy(),
            "direction": [TARGETED.get(gene, "unclear") for gene in mean.index]
            if full
            else np.resize(["protects", "sensitizes", "unclear"], genes),
            "evidence": np.resize([-0.7, 0.4, np.nan], genes),
            "evidence_reading": np.resize(["agrees", "conflicts", "no evidence"], genes),
        }
    )
    provenance = provenance_of(n, simulated)
    more = with_everything(table, parts, resistance) if full else {}
    return SimpleNamespace(
        **{
            "table": table,
            "contributions": parts,
            "base_value": base,
            "resistance_genes": resistance,
            "provenance": provenance,
            **more,
            **changes,
        }
    )


def pages_of(html):
    """Return what the report says of each sample, under names instead of places."""
    block = re.search(r'id="sample-data">(.*?)</script>', html, re.DOTALL)[1]
    found = json.loads(block)
    pages = {}
    for name, score, words, flags, facts, genes, parts, rest, above, below in found["samples"]:
        drugs = [[found["drugs"][place][0] for place, *_ in rows] for rows in (above, below)]
        pages[name] = SimpleNamespace(
            score=score,
            words=words,
            flags=flags,
            facts={k: v for k, v in zip(found["labels"], facts, strict=True) if v is not None},
            parts=dict(zip([found["genes"][g] for g in genes], parts, strict=True)),
            rest=rest,
            base=found["base"],
            drugs=drugs[0],
            below=drugs[1],
        )
    return pages


@pytest.fixture
def make_scores():
    return build
