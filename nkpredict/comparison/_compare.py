"""Compare two cohorts, or one with a reference, on the scale of one model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nkpredict.comparison._cohort import (
    REFERENCE,
    Cohort,
    cohort_from_profiles,
    cohort_from_results,
    reference_cohort,
    results_folder,
)
from nkpredict.comparison._genes import gene_differences
from nkpredict.comparison._statistics import ALL, FEWEST, WITHIN, by_lineage, difference
from nkpredict.comparison._verdict import verdict_of
from nkpredict.errors import InputError, name_some
from nkpredict.facts import ComparisonFacts, DifferenceFacts
from nkpredict.figures import plot_cohorts, plot_gene_differences, save_figure
from nkpredict.io import atomic_folder, write_csv, write_json
from nkpredict.learn import GeneModel
from nkpredict.registry import Bundle, Registry
from nkpredict.scoring import Scores

if TYPE_CHECKING:
    from nkpredict.comparison._cohort import CohortLike

_GENES_TOLD = 8
_FIGURES = ("cohorts", "genes")
_FILES = (
    "differences.csv",
    "genes.csv",
    "samples.csv",
    "comparison.json",
    *(f"{name}.{ending}" for name in _FIGURES for ending in ("png", "svg")),
)


@dataclass(frozen=True, repr=False, kw_only=True)
class CohortComparison:
    """Two cohorts on the scale of one model.

    Attributes
    ----------
    facts : ComparisonFacts
        The cohorts, what the comparison is worth (``verdict``, ``reasons``) and the differences.
    samples : pandas.DataFrame
        One row a sample: ``sample, cohort, score`` and ``lineage`` where it is known.
    genes : pandas.DataFrame
        Genes that make the difference of the mean scores, the largest first: ``gene, mean_a,
        mean_b, difference, lower, upper, p, fdr``. In a comparison with the model's own reference
        ``mean_b`` is 0, the average profile that the model was made from.
    """

    facts: ComparisonFacts
    samples: pd.DataFrame
    genes: pd.DataFrame

    @property
    def differences(self) -> pd.DataFrame:
        """One row a stratum; see `nkpredict.facts.DifferenceFacts`."""
        return pd.DataFrame([asdict(row) for row in self.facts.differences]).set_index("stratum")

    @property
    def simulated(self) -> bool:
        """Whether profiles or model are simulated."""
        return self.facts.simulated

    def sentences(self) -> tuple[str, ...]:
        """Say what the comparison is worth, how the cohorts differ and which genes make it."""
        facts = self.facts
        first, second = facts.first.name, facts.second.name
        mark = "SIMULATED data. " if self.simulated else ""
        said = [f"{mark}Verdict: {facts.verdict}.", *facts.reasons]
        told = [row for row in facts.differences if row.stratum in (ALL, WITHIN)]
        said += [_difference_words(row, first, second) for row in told]
        if facts.lineages_left_out:
            said.append(
                f"Too few samples in one of the cohorts (below {FEWEST}): "
                f"{name_some(facts.lineages_left_out)}."
            )
        clear = int((self.genes["fdr"] < 0.05).sum())
        largest = self.genes.head(_GENES_TOLD)
        if len(largest):
            named = zip(largest["gene"], largest["difference"], strict=True)
            said.append(
                "Genes that make the difference of the means "
                f"({self.genes['difference'].sum():+.3g}), {first} minus {second}: "
                f"{', '.join(f'{gene} ({part:+.3g})' for gene, part in named)}; {clear:,} of "
                f"{facts.genes:,} genes differ at a false discovery rate of 5 %."
            )
        return tuple(said)

    def save(self, folder: str | Path) -> Path:
        """Write tables, figures (PNG and SVG) and facts into a folder, all of them or none.

        Raises
        ------
        InputError
            When the folder is a file or holds other files.
        """
        folder = Path(folder)
        foreign = sorted(p.name for p in folder.glob("*") if p.name not in _FILES)
        if folder.is_file() or foreign:
            what = f"files that are no comparison ({name_some(foreign)})"
            raise InputError(
                f"{folder} {'is a file' if folder.is_file() else f'holds {what}'}; name a new "
                "folder, nothing was written."
            )
        mark = {"note": "SIMULATED"} if self.simulated else {}
        with atomic_folder(folder) as temporary:
            write_csv(temporary / "differences.csv", self.differences.assign(**mark))
            write_csv(temporary / "genes.csv", self.genes.assign(**mark).set_index("gene"))
            write_csv(temporary / "samples.csv", self.samples.assign(**mark).set_index("sample"))
            write_json(temporary / "comparison.json", self.facts.to_json())
            drawn = (plot_cohorts(self), plot_gene_differences(self) if len(self.genes) else None)
            for name, axes in zip(_FIGURES, drawn, strict=True):
                for ending in ("png", "svg"):
                    if axes is not None:
                        save_figure(axes, temporary / f"{name}.{ending}")
        return folder

    def __repr__(self) -> str:
        """Say it in words."""
        names = f"{self.facts.first.name} and {self.facts.second.name}"
        return "\n  ".join([f"Comparison of {names}", *self.sentences()])

    def _repr_html_(self) -> str:
        """Show sentences and tables in a notebook."""
        words = "".join(f"<p>{escape(sentence)}</p>" for sentence in self.sentences())
        tables = (self.differences, self.genes.head(_GENES_TOLD).set_index("gene"))
        shown = "".join(table.to_html(float_format="{:.3g}".format) for table in tables)
        return f"<div>{words}{shown}</div>"


def compare(
    a: CohortLike,
    b: CohortLike,
    model: str | Path | Bundle | GeneModel | None = None,
    *,
    registry: str | Path | Registry | None = None,
    lineage: str | tuple[pd.Series, pd.Series] | None = None,
    obs: tuple[str | Path | None, str | Path | None] = (None, None),
    names: tuple[str | None, str | None] = (None, None),
    force: bool = False,
) -> CohortComparison:
    """Compare two cohorts, or a cohort with a shipped reference, on the scale of one model.

    Parameters
    ----------
    a, b
        Profiles (file, DataFrame, AnnData), the folder of results of ``nkpredict score``, or
        `Scores`. For the second also ``"reference"``, the samples that percentiles of the model
        refer to, and for both ``"chiaretti-all"``, the cohort that ships with the package.
    model, registry
        As `nkpredict.score` takes them; for folders of results by default the model that scored
        them.
    lineage
        Column of the profiles' annotations, or one Series a cohort; lineages are then compared each
        by itself and together, within lineages.
    obs
        Tables of sample annotations for files, one a cohort.
    names
        What to call the cohorts; by default their files.
    force
        Compare profiles that would be refused; the verdict says so.

    Returns
    -------
    CohortComparison

    Raises
    ------
    InputError
        When a cohort cannot be scored, has fewer than 3 samples, or was scored by another model
        than the other.
    RegistryError, BundleError
        When the model is not found or damaged.
    """
    if isinstance(a, str) and a == REFERENCE:
        raise InputError("The reference of a model is to be the second cohort; turn the two round.")
    folders = [results_folder(source) for source in (a, b)]
    known = [
        None if folder is None else cohort_from_results(folder, name)
        for folder, name in zip(folders, names, strict=True)
    ]
    if lineage is not None and any(folders):
        raise InputError(
            "Lineages were asked for, and a folder of results holds none; give the profiles of "
            "both cohorts."
        )
    model = model if model is not None else _model_of(known)
    series = lineage if isinstance(lineage, tuple) else (lineage, lineage)

    def cohort(place: int, source: CohortLike) -> Cohort:
        return known[place] or cohort_from_profiles(
            source,
            names[place],
            model,
            registry,
            lineage=series[place],
            obs=obs[place],
            force=force,
        )

    first = cohort(0, a)
    if isinstance(b, str) and b == REFERENCE:
        second = reference_cohort(_bundle(model, registry, a), first.model, names[1])
    else:
        second = cohort(1, b)
    return _compared(*_told_apart(first, second), asked=lineage is not None)


def _model_of(known: list[Cohort | None]) -> str | None:
    """Return the model that scored a folder of results, as a name to look up."""
    facts = next((one.model for one in known if one is not None), None)
    if facts is None or facts.name is None:
        return None
    return (
        facts.name if facts.registry_version is None else f"{facts.name}/{facts.registry_version}"
    )


def _bundle(
    model: str | Path | Bundle | GeneModel | None,
    registry: str | Path | Registry | None,
    scored: CohortLike,
) -> Bundle:
    if isinstance(scored, Scores):
        return scored.bundle
    if isinstance(model, Bundle):
        return model
    if isinstance(model, GeneModel):
        return Bundle(model)
    store = registry if isinstance(registry, Registry) else Registry(registry)
    return store.load_default() if model is None else store.load(model)


def _told_apart(first: Cohort, second: Cohort) -> tuple[Cohort, Cohort]:
    """Check that two cohorts can be put on one scale, and give them different names."""
    one, other = first.model, second.model
    if (one.name, one.sha256) != (other.name, other.sha256):
        raise InputError(
            f"{first.facts.name} was scored with {one.name} ({str(one.sha256)[:12]}) and "
            f"{second.facts.name} with {other.name} ({str(other.sha256)[:12]}); expected one "
            "model. Score both with the same one."
        )
    for cohort in (first, second):
        if len(cohort.scores) < FEWEST:
            raise InputError(
                f"{cohort.facts.name} has {len(cohort.scores)} samples; a comparison needs "
                f"{FEWEST} in each cohort."
            )
    if first.facts.name != second.facts.name:
        return first, second
    named = (
        replace(cohort, facts=replace(cohort.facts, name=f"{cohort.facts.name} ({which})"))
        for cohort, which in ((first, "first"), (second, "second"))
    )
    one_cohort, other_cohort = named
    return one_cohort, other_cohort


def _compared(first: Cohort, second: Cohort, asked: bool) -> CohortComparison:
    samples = pd.concat([_samples(first), _samples(second)], ignore_index=True)
    with_lineage = first.lineage is not None and second.lineage is not None
    differences: tuple[DifferenceFacts, ...] = (
        difference(first.scores.to_numpy(float), second.scores.to_numpy(float)),
    )
    left_out: tuple[str, ...] = ()
    if with_lineage:
        inside = samples.assign(first=np.arange(len(samples)) < len(first.scores))
        strata, left_out = by_lineage(inside.dropna(subset=["lineage"]))
        differences += strata
    genes = gene_differences(first.contributions, second.contributions)
    verdict, reasons = verdict_of(
        first.facts,
        second.facts,
        knowledge_only=first.model.knowledge_only,
        by_lineage=with_lineage,
        without_lineage=tuple(
            one.facts.name for one in (first, second) if asked and one.lineage is None
        ),
        shared=int(samples.duplicated(["sample", "score"]).sum()),
    )
    facts = ComparisonFacts(
        first=first.facts,
        second=second.facts,
        model=first.model.name,
        version=first.model.registry_version,
        sha256=first.model.sha256,
        verdict=verdict,
        reasons=reasons,
        differences=differences,
        lineages_left_out=left_out,
        genes=len(genes),
        simulated=first.model.simulated or first.facts.simulated or second.facts.simulated,
    )
    return CohortComparison(facts=facts, samples=samples, genes=genes)


def _samples(cohort: Cohort) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "sample": cohort.scores.index.astype(str),
            "cohort": cohort.facts.name,
            "score": cohort.scores.to_numpy(dtype=float),
        }
    )
    if cohort.lineage is not None:
        table["lineage"] = cohort.lineage.reindex(cohort.scores.index).to_numpy()
    return table


def _difference_words(row: DifferenceFacts, first: str, second: str) -> str:
    chance = (
        f"a sample of {first} has the higher score with probability {row.superiority:.2f} (95 % "
        f"interval {row.superiority_lower:.2f} to {row.superiority_upper:.2f}; 0.5 is no "
        "difference)"
    )
    if row.stratum == WITHIN:
        return f"Within lineages {chance}; van Elteren p = {row.p:.2g}."
    return (
        f"{first} ({row.samples_a} samples): median {row.median_a:.3g}, quartiles "
        f"{row.lower_quartile_a:.3g} to {row.upper_quartile_a:.3g}; {second} ({row.samples_b}): "
        f"median {row.median_b:.3g}, quartiles {row.lower_quartile_b:.3g} to "
        f"{row.upper_quartile_b:.3g}. Shift {row.shift:+.3g} (95 % interval {row.shift_lower:+.3g} "
        f"to {row.shift_upper:+.3g}), {row.overlap:.0%} overlap; {chance}; Mann-Whitney p = "
        f"{row.p:.2g}."
    )
