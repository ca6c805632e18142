"""All that is known about one sample: its place, its axes, its synapse, its genes and its drugs."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nkpredict.drugs import ABOVE
from nkpredict.errors import InputError, name_some
from nkpredict.evidence import gene_functions, known_experiments, synapse_pairs
from nkpredict.explain._knockout import knockout
from nkpredict.explain._percentile import percentile, percentile_in_training
from nkpredict.explain._sample_genes import (
    LEAST_COMPANY,
    drugs_by_sample,
    genes_lowering_samples,
    parts_apart,
)
from nkpredict.facts import ScoringFacts
from nkpredict.scoring import mark_of
from nkpredict.types import FloatArray
from nkpredict.vocabulary import Platform

if TYPE_CHECKING:
    from nkpredict.explain._scores import ExplainedScores

_GENES = 10
_DRUGS = 5
_SHARED = 0.9  # of a cohort's samples; set by hand
_OTHER = "other genes"


@dataclass(frozen=True, kw_only=True)
class Patient:
    """One sample explained; `nkpredict.report.write_patient_card` prints it on a page.

    Attributes
    ----------
    name : str
        Of the sample.
    row : pandas.Series
        Its row of `Scores.table`.
    lineage : str
        Empty when it is not known.
    compared_with : str
        What percentiles of axes and ligands are told among, in words.
    rank : float
        Percentile of its score among these samples.
    company : numpy.ndarray
        Scores of these samples.
    caution : str
        Why what is told among these samples may mislead; empty when nothing known speaks against
        it.
    axes : pandas.DataFrame
        Index = axis, and ``other genes`` last: ``contribution`` (their sum and the base value are
        the score) and ``percentile`` of it.
    synapse : pandas.DataFrame
        One row a pair of `nkpredict.evidence.synapse_pairs`, and ``percentile`` of the gene's
        expression, NaN where it was not measured, and ``contribution``.
    genes : pandas.DataFrame
        The ten genes that set the sample apart most: ``gene, difference`` (of its part from the
        mean part among the samples it is compared with, or from the average profile when these are
        the model's own), ``contribution`` (against the average profile), ``percentile, says`` (what
        published experiments say it does, and in how many studies) and ``doi``. All differences of
        a sample add up to its score less the mean score of those samples.
    knockouts : pandas.DataFrame
        One row a gene asked for: ``gene``, ``change`` of the score if it were lost, ``place`` of
        the sample after it in words, ``measured``, ``says`` and ``doi`` as above.
    drugs, drugs_below : pandas.DataFrame
        Up to five drugs above the line, and below it, by what lowers the sample as in ``genes``.
    shared_drugs : tuple of str
        Those above the line that stand among the first five of nine in ten samples of the cohort,
        and so say nothing about this sample alone; empty for a cohort of fewer than 20.
    missing : tuple of str
        Genes of the synapse that were not measured in this sample.
    provenance : ScoringFacts
        Of the scores.
    """

    name: str
    row: pd.Series
    lineage: str
    compared_with: str
    rank: float
    company: FloatArray
    caution: str
    axes: pd.DataFrame
    synapse: pd.DataFrame
    genes: pd.DataFrame
    knockouts: pd.DataFrame
    drugs: pd.DataFrame
    drugs_below: pd.DataFrame
    shared_drugs: tuple[str, ...]
    missing: tuple[str, ...]
    provenance: ScoringFacts

    @property
    def simulated(self) -> bool:
        """Whether profile or model is simulated."""
        return self.provenance.simulated

    @property
    def beside(self) -> str:
        """Say what the parts of its genes, and so its drugs, are taken against."""
        among_samples = self.axes["percentile"].notna().any()
        return self.compared_with if among_samples else "the average profile"

    @property
    def place(self) -> str:
        """Say where the score lies among those it is compared with."""
        return f"{_standing(self.rank)} of {self.compared_with}"

    @property
    def interval(self) -> str:
        """The 90 % interval in brackets behind a blank; empty where it is not known."""
        lower, upper = self.row["lower"], self.row["upper"]
        return f" (90 % interval {lower:.3f} to {upper:.3f})" if np.isfinite(lower) else ""

    def __repr__(self) -> str:
        """Summarise in three lines."""
        mark = " SIMULATED" if self.simulated else ""
        most = ", ".join(f"{row.gene} {row.difference:+.3f}" for row in self._first(4))
        return (
            f"Patient{mark} {self.name}: {self.row['susceptibility']:.3f}, {self.place}\n"
            f"  genes: {most}\n"
            f"  drugs: {', '.join(self.drugs['drug']) or 'none found'}"
        )

    def _repr_html_(self) -> str:
        mark = f"<strong>{mark_of(self)}</strong> " if mark_of(self) else ""
        verdict = self.provenance.verdict
        sure = "" if verdict is None else f"<p>Verdict on its cohort: {verdict.level}.</p>"
        as_text = dict.fromkeys(("difference", "contribution"), "{:+.3f}".format)
        as_text["percentile"] = "{:.0f}".format
        genes = self.genes.drop(columns="doi")
        lost = "; ".join(
            f"{html.escape(str(gone.gene))} {gone.change:+.3f}, then {gone.place} of them"
            for gone in self.knockouts.itertuples()
        )
        sure += f"<p>{html.escape(self.caution)}</p>" if self.caution else ""
        drugs = [
            f"{html.escape(str(drug.drug))} ({html.escape(str(drug.nk_liability))})"
            for drug in self.drugs.itertuples()
        ]
        shared = ", ".join(self.shared_drugs)
        return (
            f"<p>{mark}<strong>{html.escape(self.name)}</strong>: "
            f"{self.row['susceptibility']:.3f}{self.interval}, {html.escape(self.place)}.</p>{sure}"
            f"{self.axes.to_html(border=0, formatters=as_text, na_rep='–')}"
            f"{genes.to_html(index=False, border=0, formatters=as_text, na_rep='–')}"
            + (f"<p>If the gene were lost: {lost}.</p>" if lost else "")
            + "<p>Drugs above the line, with what they do to NK cells: "
            f"{', '.join(drugs) or 'none found'}.</p>"
            + (f"<p>Nearly all samples have {html.escape(shared)} there.</p>" if shared else "")
        )

    def _first(self, count: int) -> list[pd.Series]:
        return [row for _, row in self.genes.head(count).iterrows()]


def explain_patient(
    scores: ExplainedScores,
    sample: str,
    *,
    knockouts: Sequence[str] = (),
    against: ExplainedScores | None = None,
) -> Patient:
    """Gather all that is known about one sample.

    Parameters
    ----------
    scores
        Of its cohort, explained.
    sample
        Its name.
    knockouts
        Genes whose loss is predicted.
    against
        A cohort scored with the same model, among which percentiles are told. By default the
        sample's own cohort, or the model's reference when that has fewer than 20 samples.

    Raises
    ------
    InputError
        When the sample was not scored, or `against` was scored with another model.
    """
    table = scores.table
    place = np.flatnonzero(table.index.astype(str) == str(sample))
    if not len(place):
        alike = get_close_matches(str(sample), list(table.index.astype(str)), n=3)
        named = f"{' or '.join(alike)} are alike" if alike else name_some(table.index, 5)
        raise InputError(
            f"There is no sample {sample!r}; expected one of the {len(table):,} that were scored: "
            f"{named}."
        )
    row = int(place[0])
    name = table.index[row]
    others, words = _company(scores, against)
    caution = "" if against is None else _caution(table["platform"].iloc[row], against)
    axes = _axes(scores)
    own = axes.iloc[row]
    if others is None:
        places = np.full(len(own), np.nan)
    else:
        among = axes if others is scores else _axes(others)
        places = percentile(own.to_numpy(), among.to_numpy())
    company = (
        np.asarray(scores.bundle.model.reference_)
        if others is None
        else others.table["susceptibility"].to_numpy()
    )
    own_score = np.array([table["susceptibility"].iloc[row]])
    drugs, shared = _drugs(scores, row, others)
    above = drugs["listed"] == ABOVE if len(drugs) else pd.Series(dtype=bool)
    levels = _levels(scores, row, others)
    synapse = _synapse(scores, row, levels)
    return Patient(
        name=str(name),
        row=table.iloc[row],
        lineage="" if scores.lineage is None else str(scores.lineage.iloc[row]),
        compared_with=words,
        rank=float(percentile(own_score, company[:, None])[0]),
        company=company,
        caution=caution,
        axes=pd.DataFrame({"contribution": own, "percentile": places}),
        synapse=synapse,
        genes=_genes(scores, row, levels, others),
        knockouts=_knockouts(scores, row, knockouts, company),
        drugs=drugs[above].head(_DRUGS) if len(drugs) else _no_drugs(),
        drugs_below=drugs[~above].head(_DRUGS) if len(drugs) else _no_drugs(),
        shared_drugs=shared,
        missing=tuple(synapse.loc[synapse["percentile"].isna(), "gene"]),
        provenance=scores.provenance,
    )


def _company(
    scores: ExplainedScores, against: ExplainedScores | None
) -> tuple[ExplainedScores | None, str]:
    if against is not None:
        asked, given = (each.provenance.model.name for each in (scores, against))
        if not against.profiles.given.genes.equals(scores.profiles.given.genes):
            raise InputError(
                f"The cohort to compare with was scored with {given} and this sample with {asked}; "
                "expected one model for both."
            )
        profiles = against.provenance.profiles
        file = "the other cohort" if profiles is None else profiles.file
        return against, f"the {len(against.table):,} samples of {file}"
    if len(scores.table) >= LEAST_COMPANY:
        return scores, f"the {len(scores.table):,} samples of this cohort"
    what = scores.provenance.model.reference_word
    return None, f"the model's {len(scores.bundle.model.reference_):,} {what}"


def _caution(own: str, others: ExplainedScores) -> str:
    """Say that a sample and those it is compared with were measured by different technologies."""
    theirs = {Platform(each).technology for each in others.table["platform"].unique()}
    mine = Platform(own).technology
    if mine in theirs and len(theirs) == 1:
        return ""
    return (
        f"This profile is from {mine} and the samples it is compared with from "
        f"{' and '.join(sorted(theirs))}: platforms move the levels of genes and scores, and where "
        "it stands among them may come from that alone."
    )


def _standing(rank: float) -> str:
    """Say a percentile in words."""
    if rank < 1 or rank > 99:
        return f"among the {'lowest' if rank < 1 else 'highest'}"
    return f"higher than {rank:.0f} %"


def _axes(scores: ExplainedScores) -> pd.DataFrame:
    """Contribution of each axis of killing, samples × axes; other genes last."""
    axis_of = gene_functions()["axis"]
    of_genes = axis_of.reindex(scores.contributions.columns).fillna("")
    by_axis = (
        scores.contributions.T.groupby(of_genes.where(of_genes != "", _OTHER).to_numpy()).sum().T
    )
    known = [axis for axis in dict.fromkeys(axis_of) if axis and axis in by_axis]
    return by_axis[[*known, *([_OTHER] if _OTHER in by_axis else [])]]


def _levels(scores: ExplainedScores, row: int, others: ExplainedScores | None) -> pd.Series:
    """Percentile of each gene of the model in one sample, NaN where it was not measured."""
    level = scores.profiles.take(np.array([row])).values[0]
    told = (
        percentile_in_training(level, np.asarray(scores.bundle.model.range_))
        if others is None
        else percentile(level, others.profiles.values)
    )
    measured = ~np.isnan(scores.profiles.given.values[row])
    return pd.Series(np.where(measured, told, np.nan), index=scores.contributions.columns)


def _synapse(scores: ExplainedScores, row: int, levels: pd.Series) -> pd.DataFrame:
    pairs = synapse_pairs()
    return pairs.assign(
        percentile=levels.reindex(pairs["gene"]).to_numpy(),
        contribution=scores.contributions.iloc[row].reindex(pairs["gene"]).fillna(0.0).to_numpy(),
    )


def _genes(
    scores: ExplainedScores, row: int, levels: pd.Series, others: ExplainedScores | None
) -> pd.DataFrame:
    parts = scores.contributions.iloc[row]
    # what a whole cohort shares, as levels of its platform, sets nobody in it apart
    apart = parts if others is None else parts - others.contributions.mean()
    order = np.argsort(-apart.abs().to_numpy(), kind="stable")[:_GENES]
    chosen = apart.iloc[order]
    chosen = chosen[chosen != 0]
    return pd.DataFrame(
        {
            "gene": chosen.index,
            "difference": chosen.to_numpy(),
            "contribution": parts.reindex(chosen.index).to_numpy(),
            "percentile": levels.reindex(chosen.index).to_numpy(),
        }
    ).assign(**_published(chosen.index))


def _published(genes: pd.Index) -> dict[str, list[str]]:
    """Say what the experiments with each gene showed, and where."""
    known = known_experiments().groupby("gene")
    said = [
        _experiments_in_words(known.get_group(gene)) if gene in known.groups else ("", "")
        for gene in genes
    ]
    return {"says": [words for words, _ in said], "doi": [dois for _, dois in said]}


def _experiments_in_words(rows: pd.DataFrame) -> tuple[str, str]:
    counts = rows.drop_duplicates(["doi", "direction"])["direction"].value_counts()
    words = ", ".join(f"{direction} ({count})" for direction, count in counts.items())
    return words, "; ".join(dict.fromkeys(rows["doi"]))


def _knockouts(
    scores: ExplainedScores, row: int, genes: Sequence[str], company: FloatArray
) -> pd.DataFrame:
    asked = list(dict.fromkeys(genes))
    if not asked:
        columns = ("gene", "change", "place", "measured", "says", "doi")
        return pd.DataFrame({column: [] for column in columns})
    lost = knockout(scores.bundle.model, scores.profiles, genes=asked, kind="loss").changes
    measured = pd.Series(
        ~np.isnan(scores.profiles.given.values[row]), index=scores.contributions.columns
    )
    change = lost.iloc[row].to_numpy()
    after = scores.table["susceptibility"].iloc[row] + change
    return pd.DataFrame(
        {
            "gene": lost.columns,
            "change": change,
            "place": [_standing(each) for each in percentile(after, company[:, None])],
            "measured": measured.reindex(lost.columns).to_numpy(),
        }
    ).assign(**_published(lost.columns))


def _drugs(
    scores: ExplainedScores, row: int, others: ExplainedScores | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the drugs of one sample, and those that nearly all samples have in common."""
    name = str(scores.table.index[row])
    if others is not None and others is not scores:
        return _drugs_against(scores, row, others), ()
    drugs = scores.sample_drugs
    if not len(drugs):
        return drugs, ()
    mine = drugs[drugs["sample"].astype(str) == name]
    first = drugs[(drugs["listed"] == ABOVE) & (drugs["rank"] <= _DRUGS)]
    samples = len(scores.table)
    often = first["drug"].value_counts() >= _SHARED * samples
    known = set(first.loc[first["sample"].astype(str) == name, "drug"])
    shared = [drug for drug in mine["drug"] if drug in known and often[drug]]
    return mine, tuple(shared) if samples >= LEAST_COMPANY else ()


def _drugs_against(scores: ExplainedScores, row: int, others: ExplainedScores) -> pd.DataFrame:
    """Rank the drugs of one sample by what lowers it against another cohort."""
    given = scores.profiles.given.values[[row]]
    parts = parts_apart(scores.contributions.iloc[[row]], given, others.contributions)
    bundle = scores.bundle
    return drugs_by_sample(parts, genes_lowering_samples(bundle.model, parts, bundle.drivers))


def _no_drugs() -> pd.DataFrame:
    return pd.DataFrame({"drug": pd.Series(dtype=str), "genes": pd.Series(dtype=str)})
