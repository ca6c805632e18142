"""Where evidence comes from: one source is one direction of a gene in one study."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.evidence._calibration import FAIR_PRIOR, GENOME_PRIOR, confidence_of_p
from nkpredict.evidence._experiments import THIS_LINE, known_experiments
from nkpredict.evidence._knowledge import gene_modules, known_hits
from nkpredict.evidence._table import ScreenTable
from nkpredict.facts import ChanceFacts
from nkpredict.types import FloatArray
from nkpredict.vocabulary import UNKNOWN, Effector, GeneDirection, Strength

STRENGTH = {Strength.STRONG: 0.95, Strength.MODERATE: 0.85, Strength.WEAK: 0.7}
"""Probability that the direction of a functional experiment is right, by its strength; set by
hand."""
UNREPLICATED = 0.5
"""What remains of the confidence in a hit of one replicate; set by hand."""
CHANCE_P = 0.05
"""Limit of p at which findings are held against chance; the usual one."""

# Kinds of significance of the screen hits: what makes a two-sided p of them, and whether
# replicates agree.
_SIGNIFICANCE = {
    "two-sided p, calibrated Wald z of 2 replicates combined": (1.0, 1.0),
    "share of all genes at least as extreme on that side": (2.0, UNREPLICATED),
}
# They make the identity of a line, so a hit in one line speaks for that line (Dufva et al. 2023,
# doi 10.1016/j.immuni.2023.11.008, figure 4: transcription).
_LINEAGE_FACTORS = frozenset({"GFI1B", "IRF4", "MYB", "RUNX1", "TAL1"})
_CATEGORIES_ONLY = "Dufva 2023"
# In a gene module because of what this study found in the whole genome.
_PICKED_BY = {"IFNGR2": "Zhuang 2019"}
_STUDY_LAYOUT = "combined table of the study"


@dataclass(frozen=True)
class Source:
    """A direction of a gene in a study, by itself.

    Attributes
    ----------
    gene
        Approved symbol.
    sign
        1 = sensitizes, -1 = protects.
    confidence
        Probability of the direction less that of the opposite, from this source alone.
    effector
        Killer cells.
    lines
        Target cells.
    studies
        DOIs, or sources of screens; what shares them is one study.
    this_line
        Whether it speaks for its line only.
    pooled
        Whether it is pooled over effector types, and so counts whichever are asked for.
    published_hit
        Whether it is a published hit of a screen.
    """

    gene: str
    sign: int
    confidence: float
    effector: str
    lines: tuple[str, ...]
    studies: tuple[str, ...]
    this_line: bool = False
    pooled: bool = False
    published_hit: bool = False


def effector_named(name: str) -> str:
    """Return the effector of the vocabulary that a name stands for.

    Raises
    ------
    InputError
        When it stands for none.
    """
    found = _EFFECTORS.get(_plain(name))
    if found is None:
        expected = ", ".join(effector for effector in Effector if effector != UNKNOWN)
        raise InputError(f"The effector {name!r} is unknown; expected one of {expected}.")
    return found


def of_experiments(table: pd.DataFrame) -> Iterator[Source]:
    """Yield a source for every row of :func:`known_experiments`."""
    for row in table.to_dict("records"):
        sure = STRENGTH[Strength(row["strength"])]
        yield Source(
            gene=row["gene"],
            sign=_sign(row["direction"]),
            # under the fair prior the opposite direction has a third of what is left
            confidence=sure - (1 - sure) / 3,
            effector=row["effector"],
            lines=tuple(part.strip() for part in row["model"].split(";")),
            studies=(row["doi"],),
            this_line=row["scope"] == THIS_LINE,
        )


def of_hits(table: pd.DataFrame) -> Iterator[Source]:
    """Yield a source for every row of :func:`known_hits` with a direction.

    A gene that its study picked from the whole genome is judged as such.

    Raises
    ------
    InputError
        When the kind of a significance is unknown.
    """
    for study, rows in table[table["direction"] != UNKNOWN].groupby("study", sort=True):
        named = named_beforehand([str(study)])
        p, replication = p_of_hits(rows)
        prior = np.where(rows["gene"].isin(named), FAIR_PRIOR, GENOME_PRIOR)
        sure = replication * confidence_of_p(p, prior)
        for row, confidence in zip(rows.to_dict("records"), sure, strict=True):
            yield Source(
                gene=row["gene"],
                sign=_sign(row["direction"]),
                confidence=float(confidence),
                effector=row["effector"],
                lines=(row["target_line"],),
                studies=(row["doi"],),
                this_line=row["gene"] in _LINEAGE_FACTORS,
                published_hit=True,
            )


def p_of_hits(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Return the two-sided p of published hits, and the factors for their replication.

    Raises
    ------
    InputError
        When the kind of a significance is unknown.
    """
    kinds = table["significance_kind"]
    unknown = sorted(set(kinds) - {*_SIGNIFICANCE, ""})
    if unknown:
        raise InputError(
            f"The table of screen hits has the kind of significance {name_some(unknown)}; expected "
            f"{' or '.join(_SIGNIFICANCE)}."
        )
    times, replication = (
        kinds.map({kind: values[part] for kind, values in _SIGNIFICANCE.items()}).fillna(1.0)
        for part in (0, 1)
    )
    p = (times * table["significance"]).clip(upper=1.0)
    return np.asarray(p, dtype=np.float64), np.asarray(replication, dtype=np.float64)


def of_screens(
    combined: pd.DataFrame,
    screens: ScreenTable,
    priors: Mapping[str, float],
    *,
    pooled: bool = False,
) -> Iterator[Source]:
    """Yield a source for every gene of combined screens that carries confidence.

    Parameters
    ----------
    combined
        Table of :func:`combine_screens`.
    screens
        The screens it combines.
    priors
        Prior probability of an effect for genes that are judged by their p; all others are judged
        by the false discovery rate among all genes.
    pooled
        Whether the effector types of the screens count alike.
    """
    prior = np.array([priors.get(str(gene), np.nan) for gene in combined.index])
    known = np.isfinite(prior)
    by_p = confidence_of_p(combined["p"].to_numpy(), np.where(known, prior, 0.0))
    sure = np.where(known, by_p, combined["confidence"])
    sign = np.sign(np.where(known, combined["score"], combined["evidence"]))
    speaking = (sure > 0) & (sign != 0)
    measured = screens.table[screens.table["gene"].isin(combined.index[speaking])]
    measured = measured.dropna(subset="effect")
    told = {
        name: measured.groupby("gene")[name].unique()
        for name in ("cell_line", "effector", "source")
    }
    for gene, own, direction in zip(
        combined.index[speaking], sure[speaking], sign[speaking], strict=True
    ):
        effectors = sorted({_effector_of(str(name)) for name in told["effector"][gene]})
        yield Source(
            gene=str(gene),
            sign=int(direction),
            confidence=float(own),
            effector="; ".join(effectors),
            lines=tuple(sorted(map(str, told["cell_line"][gene]))),
            studies=tuple(sorted({_study_of(str(name)) for name in told["source"][gene]})),
            this_line=gene in _LINEAGE_FACTORS,
            pooled=pooled,
        )


def named_beforehand(given: Collection[str]) -> set[str]:
    """Return the genes that are named by something else than a look at the whole genome.

    These are the genes of functional experiments, of figure 4 of Dufva et al. 2023 and of the gene
    modules, which come from that study; without what a study that is given picked itself.

    Parameters
    ----------
    given
        Studies whose own screens are looked at.
    """
    hits = known_hits()
    genes = set(hits.loc[hits["study"] == _CATEGORIES_ONLY, "gene"])
    genes |= {gene for module in gene_modules().values() for gene in module.genes}
    if _CATEGORIES_ONLY in given:
        genes.clear()
    genes -= {gene for gene, study in _PICKED_BY.items() if study in given}
    experiments = known_experiments()
    return genes | set(experiments.loc[~experiments["study"].isin(list(given)), "gene"])


def studies_given(screens: ScreenTable) -> tuple[str, ...]:
    """Return the studies of the published hits whose own screens are given, sorted.

    A study is known by its first author, or by its DOI, in the name or source of a screen; the
    study of figure 4 also by the layout of its table.
    """
    described = screens.screens
    names = [*map(str, described.index), *map(str, described["source"].unique())]
    found = {_study_known(name) for name in names}
    if any(read.layout == _STUDY_LAYOUT for read in screens.provenance.files):
        found.add(_CATEGORIES_ONLY)
    return tuple(sorted(found - {""}))


def chance_of_hits(table: pd.DataFrame) -> Iterator[ChanceFacts]:
    """Hold the genes named beforehand in each published screen against chance."""
    measured = table[table["significance"].notna()]
    for (study, effector), rows in measured.groupby(["study", "effector"], sort=True):
        named = rows["gene"].isin(named_beforehand([str(study)]))
        p, _ = p_of_hits(rows[named])
        directions = int((rows["direction"] != UNKNOWN).sum())
        yield chance(str(study), str(effector), directions, p)


def chance(study: str, effector: str, directions: int, p: FloatArray) -> ChanceFacts:
    """Count p-values below `CHANCE_P`, and those expected of as many genes by chance."""
    return ChanceFacts(
        study=study,
        effector=effector,
        directions=directions,
        genes=len(p),
        threshold=CHANCE_P,
        found=int((p < CHANCE_P).sum()),
        expected=CHANCE_P * len(p),
    )


def _effector_of(name: str) -> str:
    """Return the effector of the vocabulary that the one of a screen is, else its own name."""
    return _EFFECTORS.get(_plain(name), name)


@cache
def _study_of(source: str) -> str:
    """Return the DOI of the study that a source names, else the source."""
    hits = known_hits()
    doi = hits.loc[hits["study"] == _study_known(source), "doi"]
    return str(doi.iloc[0]) if len(doi) else source


def _study_known(name: str) -> str:
    studies = known_hits()[["study", "doi"]].drop_duplicates()
    for study, doi in studies.itertuples(index=False):
        author, _, year = str(study).partition(" ")
        match = re.search(rf"(?<![a-z]){author}(?![a-z])\W*(\d{{4}})?", name, re.IGNORECASE)
        if str(doi) in name or (match and match[1] in (None, year)):
            return str(study)
    return ""


def _sign(direction: str) -> int:
    return 1 if direction == GeneDirection.SENSITIZES else -1


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_EFFECTORS = {_plain(effector): str(effector) for effector in Effector if effector != UNKNOWN}
