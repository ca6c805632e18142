"""Everything known about one gene: experiments, published hits, screens and the judgement."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.evidence._arrangement import described_experiments
from nkpredict.evidence._combine import DEFAULT_METHOD, combine_by_effector, combine_screens
from nkpredict.evidence._experiments import known_experiments
from nkpredict.evidence._judgement import gene_evidence
from nkpredict.evidence._knowledge import gene_categories, gene_modules, known_hits
from nkpredict.evidence._standardise import standardise_screens
from nkpredict.evidence._table import GeneEvidence, ScreenTable
from nkpredict.facts import CombinationFacts, KnowledgeFacts
from nkpredict.io import resolve_gene
from nkpredict.vocabulary import UNKNOWN


@dataclass(frozen=True)
class GeneDescription:
    """What is known about a gene.

    Attributes
    ----------
    gene, note
        Approved symbol, and how it was found when another name was given.
    category
        Category of the knowledge base, ``""`` without one.
    modules
        Module → its DOIs.
    functional
        Rows of :func:`~nkpredict.evidence.known_experiments`.
    published
        Rows of :func:`~nkpredict.evidence.known_hits`.
    screens
        One entry per screen with the gene: ``screen, cell_line, effector, perturbation, effect``
        (+ sensitizes; NaN where the p is known without its sign), ``p, fdr``, ``side``, ``rank``
        among the genes of its side by size of the effect (None without a sign), and ``source``.
    experiments
        One entry per independent screen: ``name, effector`` and standardised ``z``.
    combined
        Evidence of all screens against NK cells, with ``side``, ``rank`` among the genes of its
        side and ``genes``; empty without screens or when they do not hold the gene.
    by_effector
        The same for each effector type by itself.
    judgement
        What all of this adds up to, as :func:`~nkpredict.evidence.gene_evidence` judges it:
        ``evidence, confidence, agreement, conflict, sources, n_screens, lines, effectors`` and the
        ``effector`` asked for; empty where nothing is known.
    notes
        How published hits compare with chance, and what was left out.
    simulated
        Whether any screen is simulated.
    """

    gene: str
    note: str
    category: str
    modules: dict[str, str]
    functional: list[dict[str, Any]]
    published: list[dict[str, Any]]
    screens: list[dict[str, Any]]
    experiments: list[dict[str, Any]]
    combined: dict[str, Any]
    by_effector: dict[str, dict[str, Any]]
    judgement: dict[str, Any]
    notes: list[str]
    simulated: bool

    def to_json_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return asdict(self)


def describe_gene(
    name: str,
    screens: ScreenTable | None = None,
    method: str = DEFAULT_METHOD,
    *,
    effector: str | None = None,
    knowledge: bool = True,
) -> GeneDescription:
    """Gather everything known about a gene, with its sources.

    Parameters
    ----------
    name
        Approved or old symbol, alias or Ensembl id.
    screens
        Screens to look the gene up in; without them, the knowledge base alone speaks.
    method
        Way to combine screens.
    effector, knowledge
        As in :func:`~nkpredict.evidence.gene_evidence`.

    Returns
    -------
    GeneDescription
        Empty parts where nothing is known.

    Raises
    ------
    InputError
        When the name is unknown or stands for several genes, or as
        :func:`~nkpredict.evidence.gene_evidence`.
    """
    gene, note = resolve_gene(name)
    hits = known_hits()
    published = hits[hits["gene"] == gene].drop(columns="gene")
    modules = {m.name: m.source for m in gene_modules().values() if gene in m.genes}
    functional = known_experiments()
    functional = functional[functional["gene"] == gene].drop(columns="gene")
    judged = gene_evidence(screens, effector=effector, knowledge=knowledge, method=method)
    rows, experiments, combined, by_effector = [], [], {}, {}
    if screens is not None:
        rows = _in_screens(gene, screens)
        experiments = _in_experiments(gene, screens)
        combined = _of(gene, combine_screens(screens, method))
        by_effector = {
            effector: own
            for effector, evidence in combine_by_effector(screens, method).items()
            if (own := _of(gene, evidence))
        }
    return GeneDescription(
        gene=gene,
        note=note,
        category=gene_categories().get(gene, ""),
        modules=modules,
        functional=_records(functional),
        published=_records(published),
        screens=rows,
        experiments=experiments,
        combined=combined,
        by_effector=by_effector,
        judgement=_judgement(gene, judged),
        notes=evidence_notes(judged),
        simulated=screens is not None and screens.simulated,
    )


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in rows.to_dict("records")]


def _judgement(gene: str, judged: GeneEvidence) -> dict[str, Any]:
    if gene not in judged.table.index:
        return {}
    row = judged.table.loc[[gene]].iloc[0]
    asked = judged.provenance.effector if isinstance(judged.provenance, KnowledgeFacts) else None
    return {
        **{k: float(row[k]) for k in ("evidence", "confidence", "agreement")},
        **{k: int(row[k]) for k in ("sources", "n_screens")},
        **{k: str(row[k]) for k in ("lines", "effectors", "axis", "group")},
        "conflict": bool(row["conflict"]),
        "effector": asked,
    }


def evidence_notes(judged: GeneEvidence) -> list[str]:
    """Say how hits compare with chance, and what was left out.

    Parameters
    ----------
    judged
        As :func:`~nkpredict.evidence.gene_evidence` returns it.

    Returns
    -------
    list of str
        Sentences.
    """
    facts = judged.provenance
    if isinstance(facts, CombinationFacts):
        why = facts.knowledge_left_out
        return [f"The knowledge base takes no part, as {why}."] if why else []
    if not isinstance(facts, KnowledgeFacts):
        return []
    given = [
        f"The published hits of {study} are left out, as its own screens are given."
        for study in facts.hits_left_out
    ]
    return [*(held.sentence() for held in facts.chance), *given]


def side_of(value: float) -> str:
    """Name the side of a signed effect or score, `UNKNOWN` without one."""
    if value != value:
        return UNKNOWN
    return "sensitizes" if value > 0 else "protects" if value < 0 else "neither"


def _rank(values: pd.Series, gene: str) -> int:
    """Rank among the genes that point the same way, strongest first."""
    value = float(values[gene])
    return int((values > value).sum() if value > 0 else (values < value).sum()) + 1


def _in_screens(gene: str, screens: ScreenTable) -> list[dict[str, Any]]:
    entries = []
    for screen, rows in screens.table.groupby("screen", sort=True):
        effects = rows.set_index("gene")["effect"]
        if gene not in effects.index:
            continue
        row = rows[rows["gene"] == gene].iloc[0]
        entries.append(
            {
                "screen": str(screen),
                **{k: str(row[k]) for k in ("cell_line", "effector", "perturbation", "source")},
                **{k: float(row[k]) for k in ("effect", "p", "fdr")},
                "side": side_of(float(row["effect"])),
                "rank": _rank(effects, gene) if np.isfinite(row["effect"]) else None,
                "genes": int(effects.notna().sum()),
            }
        )
    return entries


def _in_experiments(gene: str, screens: ScreenTable) -> list[dict[str, Any]]:
    standardised = standardise_screens(screens)
    if gene not in standardised.z.index:
        return []
    of_gene = standardised.z.loc[gene].to_numpy(dtype=float)
    table = described_experiments(screens, standardised)
    described = zip(table["name"], table["effector"], of_gene[table["at"].to_numpy()], strict=True)
    return [
        {"name": str(name), "effector": str(effector), "z": float(z)}
        for name, effector, z in described
        if np.isfinite(z)
    ]


def _of(gene: str, evidence: GeneEvidence) -> dict[str, Any]:
    if gene not in evidence.table.index:
        return {}
    row = evidence.table.loc[[gene]].iloc[0]
    return {
        **{
            k: float(row[k])
            for k in ("evidence", "confidence", "agreement", "heterogeneity", "score")
        },
        "n_screens": int(row["n_screens"]),
        "conflict": bool(row["conflict"]),
        "side": side_of(float(row["score"])),
        "rank": _rank(evidence.table["score"], gene),
        "genes": len(evidence.table),
    }
