"""One judgement a gene, from functional experiments, published hits and screens that are given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from nkpredict.errors import InputError
from nkpredict.evidence._calibration import (
    CERTAIN,
    FAIR_PRIOR,
    GENOME_PRIOR,
    evidence_of,
)
from nkpredict.evidence._combine import (
    DEFAULT_METHOD,
    combination,
    combine_by_effector,
    without_t_cells,
)
from nkpredict.evidence._experiments import gene_functions, known_experiments
from nkpredict.evidence._knowledge import known_hits
from nkpredict.evidence._sources import (
    STRENGTH,
    UNREPLICATED,
    Source,
    chance,
    chance_of_hits,
    effector_named,
    named_beforehand,
    of_experiments,
    of_hits,
    of_screens,
    studies_given,
)
from nkpredict.evidence._table import (
    DETAIL_COLUMNS,
    EVIDENCE_COLUMNS,
    GeneEvidence,
    ScreenTable,
)
from nkpredict.facts import ChanceFacts, CombinationFacts, KnowledgeFacts
from nkpredict.vocabulary import UNKNOWN, Effector

THERAPY_EFFECTOR = Effector.PRIMARY_NK
"""Effector cells of the therapies, asked for where no other are."""
OTHER_EFFECTOR = 0.5
"""What remains of the confidence of a source with other effector cells; set by hand."""
OTHER_LINES = 0.25
"""What remains of the confidence of a source that speaks for its own line only; set by hand."""
CONTRADICTION = 0.1
"""Least confidence that a direction must have to contradict the other; set by hand."""

_COLUMNS = [*EVIDENCE_COLUMNS, *DETAIL_COLUMNS[:3]]
_TEXT = ("lines", "effectors", "axis", "group")
_OPTED_OUT = "it was asked to be left out"
_SIMULATED = "the screens are simulated"


def gene_evidence(
    screens: ScreenTable | None = None,
    *,
    effector: str | None = None,
    knowledge: bool = True,
    method: str = DEFAULT_METHOD,
) -> GeneEvidence:
    """Judge every gene by all that is known of it.

    Evidence is the probability that a gene sensitizes tumour cells less the probability that it
    protects them, and its size is the confidence. Each source has a confidence of its own:

    - a functional experiment by its strength (`STRENGTH`);
    - a published hit by its p, calibrated after Sellke, Bayarri and Berger 2001
      (doi 10.1198/000313001300339950), with the prior `FAIR_PRIOR` for genes named beforehand and
      `GENOME_PRIOR` for those picked from the whole genome, less without replicates;
    - screens that are given by :func:`combine_screens`; genes that the knowledge base holds or
      names by the same calibration of their p, effector type by effector type.

    Sources with other effector cells than those asked for count `OTHER_EFFECTOR`, those that speak
    for one line `OTHER_LINES`. Of one study the surest source in a direction counts; the log-odds
    of studies are added. Where other effector cells contradict those asked for, they are left
    aside, and ``conflict`` is set. What had no effect is no evidence against a gene: the line may
    not express it.

    Parameters
    ----------
    screens
        Screens to add to the knowledge base. Published hits of a study whose screens are given
        are left out. Simulated screens are combined without any knowledge.
    effector
        Killer cells asked for, a name of :class:`~nkpredict.vocabulary.Effector`; without one,
        primary NK cells, and genes that only the screens name are judged over all of their
        effector types.
    knowledge
        Whether functional experiments and published hits take part.
    method
        Way to combine screens, a name of :data:`nkpredict.evidence.METHODS`.

    Returns
    -------
    GeneEvidence
        One row for every gene that is known or in the screens, sorted. Beside the columns of the
        contract ``sources`` (number of studies), ``lines``, ``effectors``, ``axis``, ``group``,
        and with screens ``heterogeneity``, ``score`` and ``p`` of :func:`combine_screens`, 0, NaN
        and NaN for genes that they lack. ``n_screens`` counts screens and published hits.

    Raises
    ------
    InputError
        When there is nothing to judge by, the effector is unknown, or as
        :func:`combine_screens`.
    """
    asked = str(THERAPY_EFFECTOR) if effector is None else effector_named(effector)
    if screens is None:
        if not knowledge:
            raise InputError(
                "Neither screens nor knowledge are to be used; expected screens, the knowledge "
                "base or both."
            )
        known = _knowledge(())
        table = _judgements(known.sources, asked)
        return GeneEvidence(table, _provenance(known, table, asked))
    combined, facts = combination(screens, method)
    nk_screens, _ = without_t_cells(screens)
    use_knowledge = knowledge and not screens.simulated
    known = _knowledge(studies_given(nk_screens)) if use_knowledge else _Knowledge()
    own, chances = _screen_sources(nk_screens, combined, method, known, effector)
    sources = [*known.sources, *own]
    table = _with_screens(_judgements(sources, asked), sources, combined, pooled=effector is None)
    if use_knowledge:
        known = replace(known, chance=(*known.chance, *chances))
        return GeneEvidence(table, _provenance(known, table, asked, facts))
    why = _SIMULATED if knowledge else _OPTED_OUT
    return GeneEvidence(table, replace(facts, knowledge_left_out=why))


@dataclass(frozen=True)
class _Knowledge:
    """What the knowledge base contributes."""

    sources: tuple[Source, ...] = ()
    named: frozenset[str] = frozenset()
    studies: dict[str, str] = field(default_factory=dict)
    experiments: int = 0
    hits: int = 0
    chance: tuple[ChanceFacts, ...] = ()
    given: tuple[str, ...] = ()

    @property
    def priors(self) -> dict[str, float]:
        """Prior probability of an effect for every gene that is known of or named beforehand."""
        known = dict.fromkeys((source.gene for source in self.sources), GENOME_PRIOR)
        return known | dict.fromkeys(self.named, FAIR_PRIOR)


def _knowledge(given: Sequence[str]) -> _Knowledge:
    """Gather the knowledge base without the published hits of studies that are given."""
    experiments, hits = known_experiments(), known_hits()
    hits = hits[~hits["study"].isin(given)]
    directed = hits[hits["direction"] != UNKNOWN]
    studies: dict[str, str] = {}
    told = pd.concat([rows[["study", "doi"]] for rows in (experiments, directed)])
    for study, doi in told.drop_duplicates().sort_values(["study", "doi"]).itertuples(index=False):
        # two studies may have author and year in common
        studies[str(study)] = "; ".join(filter(None, (studies.get(str(study)), str(doi))))
    return _Knowledge(
        sources=(*of_experiments(experiments), *of_hits(hits)),
        named=frozenset(named_beforehand(given)),
        studies=studies,
        experiments=len(experiments),
        hits=len(directed),
        chance=tuple(chance_of_hits(hits)),
        given=tuple(given),
    )


def _screen_sources(
    screens: ScreenTable,
    combined: pd.DataFrame,
    method: str,
    known: _Knowledge,
    effector: str | None,
) -> tuple[list[Source], list[ChanceFacts]]:
    """Take sources from screens: by effector type for known genes, or where one is asked for."""
    sources: list[Source] = []
    chances = []
    beforehand, priors = list(known.named), known.priors
    if priors or effector is not None:
        for name, evidence in combine_by_effector(screens, method).items():
            rows = screens.table[screens.table["effector"] == name]
            p = evidence.table["p"].reindex(beforehand).dropna().to_numpy()
            if len(p):
                directions = int((evidence.table["evidence"] != 0).sum())
                chances.append(chance("Screens given", name, directions, p))
            asked = evidence.table
            if effector is None:
                asked = asked[asked.index.isin(list(priors))]
            sources += of_screens(asked, ScreenTable(rows, screens.provenance), priors)
    if effector is None:
        others = combined[~combined.index.isin(list(priors))]
        sources += of_screens(others, screens, {}, pooled=True)
    return sources, chances


def _judgements(sources: Iterable[Source], asked: str) -> pd.DataFrame:
    """Judge every gene that has a source."""
    by_gene: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        by_gene[source.gene].append(source)
    rows = {gene: _judgement(own, asked) for gene, own in sorted(by_gene.items())}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=_COLUMNS)
    for name in ("axis", "group"):
        table[name] = gene_functions()[name].reindex(table.index).fillna("")
    return table.rename_axis("gene")


def _with_screens(
    judged: pd.DataFrame, sources: Sequence[Source], combined: pd.DataFrame, *, pooled: bool
) -> pd.DataFrame:
    """Bring judgements and combined screens into one table, a row for each gene of either."""
    genes = pd.Index(sorted({*judged.index, *combined.index}), name="gene")
    table = judged.reindex(genes)
    numbers, counts = ("evidence", "confidence", "agreement"), ("n_screens", "sources")
    table = table.fillna(dict.fromkeys((*numbers, *counts), 0) | dict.fromkeys(_TEXT, ""))
    table["conflict"] = table["conflict"].eq(True)
    table["n_screens"] += combined["n_screens"].reindex(genes).fillna(0)
    table = table.astype(dict.fromkeys(numbers, float) | dict.fromkeys(counts, int))
    # what the screens alone speak of stays as they were combined
    spoken = [source.gene for source in sources if not source.pooled]
    alone = combined.index.difference(spoken) if pooled else combined.index[:0]
    of_screens_alone = [*numbers, "conflict"]
    table.loc[alone, of_screens_alone] = combined.loc[alone, of_screens_alone]
    further = combined[["heterogeneity", "score", "p"]].reindex(genes)
    return table.join(further.fillna({"score": 0.0}))


def _judgement(sources: Sequence[Source], asked: str) -> list[object]:
    """Add the sources of a gene; in the order of `_COLUMNS`."""
    in_full, others = [], []
    for source in sources:
        if source.pooled or source.effector == asked:
            in_full.append(source)
        else:
            others.append(replace(source, confidence=OTHER_EFFECTOR * source.confidence))
    decided = _added(in_full)
    used = [*in_full, *others]
    if abs(decided) >= CONTRADICTION:
        used = [*in_full, *(s for s in others if s.sign * decided > 0)]
    evidence = _added(used)
    strongest = {
        sign: max((_confidence(s) for s in sources if s.sign == sign), default=0.0)
        for sign in (1, -1)
    }
    sizes = [(source.sign * _confidence(source)) for source in used]
    along = sum(abs(size) for size in sizes if size * evidence > 0)
    total = sum(map(abs, sizes))
    return [
        evidence,
        abs(evidence),
        sum(source.published_hit for source in sources),
        along / total if total > 0 else 0.0,
        min(strongest.values()) >= CONTRADICTION,
        len({study for source in used for study in source.studies}),
        _listed(line for source in used for line in source.lines),
        _listed(part for source in used for part in source.effector.split("; ")),
    ]


def _confidence(source: Source) -> float:
    return (OTHER_LINES if source.this_line else 1.0) * source.confidence


def _added(sources: Iterable[Source]) -> float:
    """Add studies; of each, the surest source in a direction counts."""
    surest: dict[tuple[tuple[str, ...], int], float] = {}
    for source in sources:
        key = (source.studies, source.sign)
        surest[key] = max(surest.get(key, 0.0), _confidence(source))
    return evidence_of(
        *([c for (_, sign), c in surest.items() if sign == side] for side in (1, -1))
    )


def _listed(names: Iterable[str]) -> str:
    return "; ".join(sorted(set(names)))


def _provenance(
    known: _Knowledge, table: pd.DataFrame, asked: str, screens: CombinationFacts | None = None
) -> KnowledgeFacts:
    line_only = {source.gene for source in known.sources if source.this_line}
    line_only -= {source.gene for source in known.sources if not source.this_line}
    return KnowledgeFacts(
        source="functional_experiments.csv, screen_hits.csv",
        studies=known.studies,
        effector=asked,
        experiments=known.experiments,
        hits=known.hits,
        genes_with_evidence=int((table["evidence"] != 0).sum()),
        genes_in_conflict=int(table["conflict"].sum()),
        chance=known.chance,
        hits_left_out=known.given,
        this_line_only=tuple(sorted(line_only)),
        constants={
            **{f"probability_{strength}": value for strength, value in STRENGTH.items()},
            "fair_prior": FAIR_PRIOR,
            "genome_prior": GENOME_PRIOR,
            "unreplicated": UNREPLICATED,
            "certain": CERTAIN,
            "other_effector": OTHER_EFFECTOR,
            "other_lines": OTHER_LINES,
            "contradiction": CONTRADICTION,
        },
        screens=screens,
    )
