"""A cohort to compare: profiles that are scored, scores, or the folder of earlier results."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from nkpredict.errors import InputError
from nkpredict.explain import ExplainedScores
from nkpredict.facts import CohortFacts, ModelFacts, PlatformFacts, ScoringFacts
from nkpredict.features import PlatformBridge
from nkpredict.learn import GeneModel
from nkpredict.registry import Bundle, Registry
from nkpredict.scoring import OWN_REFERENCE, Scores, score
from nkpredict.shipped import shipped_path
from nkpredict.vocabulary import Platform

if TYPE_CHECKING:
    from anndata import AnnData

REFERENCE = "reference"
"""Word for the samples that percentiles of the model refer to."""
EXAMPLES = {"chiaretti-all": ("examples", "chiaretti_all.parquet")}
"""Cohorts that ship with the package."""
_SCORES, _CONTRIBUTIONS, _PROVENANCE = "scores.csv", "contributions.parquet", "provenance.json"

if TYPE_CHECKING:
    CohortLike: TypeAlias = str | Path | pd.DataFrame | AnnData | Scores


@dataclass(frozen=True)
class Cohort:
    """Scores of a cohort and what they are made of.

    Attributes
    ----------
    scores
        By sample.
    contributions
        Samples × genes; empty for the reference of a model, which keeps none.
    lineage
        By sample, where it is known.
    facts
        What is known about it.
    model
        What scored it.
    """

    scores: pd.Series
    contributions: pd.DataFrame
    lineage: pd.Series | None
    facts: CohortFacts
    model: ModelFacts


def results_folder(source: object) -> Path | None:
    """Return the folder of results that a source is, None for anything else."""
    if not isinstance(source, str | Path):
        return None
    folder = Path(source)
    return folder if (folder / _SCORES).is_file() else None


def cohort_from_results(folder: Path, name: str | None) -> Cohort:
    """Read what `nkpredict score` wrote.

    Raises
    ------
    InputError
        When a file is missing or damaged.
    """
    try:
        table = pd.read_csv(folder / _SCORES, index_col=0, dtype={0: str}, keep_default_na=False)
        parts = pd.read_parquet(folder / _CONTRIBUTIONS).set_index("sample")
        text = (folder / _PROVENANCE).read_text(encoding="utf-8")
        facts = ScoringFacts.from_json(json.loads(text))
        base = parts.pop("base_value")
        numbers = table[["novelty", "weight_coverage"]].astype(float)
        inside = table["in_domain"].astype(str).eq("True")
        flags = table["flags"].astype(str)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{folder} does not hold whole results of nkpredict score ({error}); score the cohort "
            "again."
        ) from error
    return Cohort(
        scores=parts.sum(axis=1) + base,
        contributions=parts,
        lineage=None,
        facts=_facts(
            name or folder.resolve().name,
            str(folder),
            facts,
            numbers.assign(in_domain=inside.to_numpy(), flags=flags),
        ),
        model=facts.model,
    )


def cohort_from_profiles(
    source: CohortLike,
    name: str | None,
    model: str | Path | Bundle | GeneModel | None,
    registry: str | Path | Registry | None,
    *,
    lineage: str | pd.Series | None,
    obs: str | Path | None,
    force: bool,
) -> Cohort:
    """Score a cohort, or take its scores.

    Raises
    ------
    InputError
        As `nkpredict.score`.
    """
    where = str(source) if isinstance(source, str | Path) else ""
    if isinstance(source, Scores):
        scores = source
    else:
        example = shipped_path(*EXAMPLES[where]) if where in EXAMPLES else None
        if example is not None and obs is None and lineage is not None:
            obs = example.with_name(f"{example.stem}_obs.csv")  # its annotations ship beside it
        scores = score(
            source if example is None else example,
            model,
            registry=registry,
            lineage=lineage,
            obs=obs,
            force=force,
        )
    if isinstance(scores, ExplainedScores):
        parts = scores.contributions
    else:
        parts = scores.bundle.model.contributions(scores.profiles)[0]
        parts = parts.set_axis(scores.table.index, axis=0)
    return Cohort(
        scores=scores.table["susceptibility"],
        contributions=parts,
        lineage=scores.lineage,
        facts=_facts(name or _name_of(where), where, scores.provenance, scores.table),
        model=scores.provenance.model,
    )


def reference_cohort(bundle: Bundle, model: ModelFacts, name: str | None) -> Cohort:
    """Return the samples that percentiles refer to, with held-out predictions where trained."""
    table = bundle.reference
    named = table.set_axis(table.index.astype(str), axis=0)
    kind = "reference profiles" if model.knowledge_only else "training samples, held out"
    return Cohort(
        scores=named["susceptibility"],
        contributions=pd.DataFrame(),
        lineage=named.get("lineage"),
        facts=CohortFacts(
            name=name or kind,
            source=f"{REFERENCE} of {model.name}",
            samples=len(named),
            technology=_home(bundle.model.platforms_),
            own_reference=len(named),
            simulated=bundle.simulated,
        ),
        model=model,
    )


def _facts(name: str, source: str, facts: ScoringFacts, table: pd.DataFrame) -> CohortFacts:
    own = table["flags"].astype(str).str.split(";").map(lambda flags: OWN_REFERENCE in flags)
    return CohortFacts(
        name=name,
        source=source,
        samples=len(table),
        technology=_technology(facts.platform),
        bridged=facts.platform is not None and facts.platform.bridged > 0,
        relative=facts.relative_to_cohort,
        verdict=facts.verdict,
        outside=float((~table["in_domain"].astype(bool)).mean()),
        novelty=float(table["novelty"].median()),
        weight_coverage=float(table["weight_coverage"].median()),
        own_reference=int(own.sum()),
        forced=bool(facts.forced),
        simulated=facts.profiles_simulated,
    )


def _technology(platform: PlatformFacts | None) -> str | None:
    """Return what measured most of the profiles, None where that is not known."""
    if platform is None or not platform.model or not platform.profiles:
        return None
    most = Platform(max(platform.profiles, key=lambda name: platform.profiles[name]))
    return None if most is Platform.UNKNOWN else most.technology


def _home(bridge: PlatformBridge | None) -> str | None:
    known = bridge is not None and bridge.home is not Platform.UNKNOWN
    return bridge.home.technology if bridge is not None and known else None


def _name_of(source: str) -> str:
    name = Path(source).name if source else "cohort"
    for ending in (".gz", ".csv", ".tsv", ".txt", ".parquet", ".h5ad", ".xlsx", ".zarr"):
        name = name.removesuffix(ending)
    return name
