"""The scores of a cohort: a table, its uncertainty, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.facts import SCORING_FACTS_KEY, ScoringFacts, Verdict
from nkpredict.io import atomic_path, to_json, write_csv
from nkpredict.learn import HarmonisedProfiles
from nkpredict.outcome import OutcomeAssociation
from nkpredict.registry import Bundle
from nkpredict.scoring._folder import marked, write_folder, write_numbers
from nkpredict.scoring._notebook import scores_html

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass(frozen=True, repr=False, kw_only=True)
class Scores:
    """Scores of a cohort and what they rest on; `nkpredict.explain.explain_scores` says why.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a sample: ``susceptibility`` (higher = killed more easily), ``lower`` and
        ``upper`` (90 % interval), ``percentile`` (among held-out predictions of the training
        samples), ``novelty`` (1 = edge of what the model was made from, judged against the platform
        of the profile), ``in_domain``, ``platform`` (`nkpredict.vocabulary.Platform`, told from the
        profile itself), ``gene_coverage`` (share of the model's genes measured),
        ``weight_coverage`` (share of the model's weight on them, for `screen-prior` the share of
        the evidence),
        ``original_scale`` (on the scale of the training response), ``flags`` (joined by ``;``:
        ``out_of_domain``, ``other_platform``, ``low_gene_coverage``, ``chance_skill``,
        ``knowledge_only``, ``own_reference``, a profile the model was made from, and
        ``relative_to_cohort``, scored with the whole cohort moved to the model's profiles).
    viability : pandas.DataFrame or None
        Samples × E:T ratios, predicted % viability, when the model has a killing curve. The area
        of each curve is 1 − susceptibility wherever a curve can have it, see
        `nkpredict.KillingCurveModel.predict_curve`.
    axes : pandas.DataFrame or None
        For a model of published knowledge, one row a sample and axis: ``sample, axis``, ``score``
        (the axes of a sample sum to its score), ``percentile`` (among the reference profiles) and
        ``coverage`` (share of the axis's evidence that is read).
    lineage : pandas.Series or None
        Lineage of the samples, when it was given.
    covariates : pandas.DataFrame or None
        Other columns of the samples that were named with the lineage.
    reference : pandas.DataFrame
        The samples that percentiles refer to: ``susceptibility`` (held-out prediction),
        ``observed`` and ``lineage`` where they are known.
    outcome : OutcomeAssociation or None
        What the scores say about an outcome of the samples, when one was given.
    provenance : ScoringFacts
        What was detected, what was missing, and the model.
    bundle : Bundle
        The model that scored.
    profiles : HarmonisedProfiles
        The profiles as the model saw them, so that explaining prepares nothing again.
    """

    table: pd.DataFrame
    provenance: ScoringFacts
    bundle: Bundle
    profiles: HarmonisedProfiles
    viability: pd.DataFrame | None = None
    axes: pd.DataFrame | None = None
    lineage: pd.Series | None = None
    covariates: pd.DataFrame | None = None
    reference: pd.DataFrame = field(default_factory=pd.DataFrame)
    outcome: OutcomeAssociation | None = None

    @property
    def verdict(self) -> Verdict:
        """What the scores of this cohort may be used for, and why it is no more."""
        found = self.provenance.verdict
        if found is None:
            raise InputError("These scores were made without a verdict; score the profiles again.")
        return found

    @property
    def simulated(self) -> bool:
        """Whether profiles or model are simulated."""
        return self.provenance.simulated

    def to_adata(self, adata: AnnData) -> AnnData:
        """Return a copy of the profiles with scores in ``obs``, each column named ``nk_…``.

        ``uns["nkpredict_scores"]`` holds what they rest on, as JSON. With a killing curve ``obsm``
        holds ``nk_viability``: % viability, the E:T ratios as text (``"0.625"``). Samples that were
        left out for want of values get no numbers.

        Raises
        ------
        InputError
            When the AnnData holds none of the samples.
        """
        scored = adata.copy()
        if not scored.obs_names.astype(str).isin(self.table.index).any():
            raise InputError(
                f"None of the {scored.n_obs:,} rows of the AnnData "
                f"({name_some(scored.obs_names, 3)}) is a sample that was scored "
                f"({name_some(self.table.index, 3)}); expected samples × genes with the same names."
            )
        table = self.table.reindex(scored.obs_names.astype(str))
        for column in table:
            values = table[column]
            if pd.api.types.is_string_dtype(values):
                values = values.astype("category")
            elif column == "in_domain":
                values = values.astype("boolean")  # may be missing
            scored.obs[f"nk_{column}"] = values
        scored.uns[SCORING_FACTS_KEY] = to_json(self.provenance.to_json())
        if self.viability is not None:
            curves = self.viability.reindex(scored.obs_names.astype(str))
            scored.obsm["nk_viability"] = curves.set_axis([f"{r:g}" for r in curves], axis=1)
        return scored

    def to_csv(self, path: str | Path) -> Path:
        """Write the table of samples; simulated and forced scores are marked in a column.

        Parameters
        ----------
        path
            File to write; text that a spreadsheet would run as a formula gets an apostrophe.

        Returns
        -------
        pathlib.Path
            The file.
        """
        write_csv(path, marked(self.table, self))
        return Path(path)

    def to_h5ad(self, path: str | Path, adata: AnnData | None = None) -> Path:
        """Write profiles and scores as an ``.h5ad`` file; see `to_adata`.

        Tables of ``obsm`` are stored as arrays, the names of their columns in ``uns``:
        ``nk_contributions_names``, ``nk_viability_names``.

        Parameters
        ----------
        path
            File to write.
        adata
            The profiles that were scored; by default their values as they were read, the genes of
            the model alone.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        InputError
            When the AnnData holds none of the samples.
        """
        scored = self.to_adata(self._read_values() if adata is None else adata)
        for column in scored.obs:
            scored.obs[column] = _storable(scored.obs[column])
        for name in [name for name in scored.obsm if name.startswith("nk_")]:
            # a table is stored column by column, which takes half a minute for thousands of genes
            scored.uns[f"{name}_names"] = np.array(scored.obsm[name].columns, dtype=str)
            scored.obsm[name] = scored.obsm[name].to_numpy()
        with atomic_path(path) as temporary:
            scored.write_h5ad(temporary)
        return Path(path)

    def save(self, folder: str | Path) -> Path:
        """Write the tables that ``nkpredict score --out`` writes, all of them or none.

        Scores alone have ``scores.csv``, ``provenance.json`` and, where they are known,
        ``axes.csv``, ``viability.csv`` and ``outcome.csv``; what `nkpredict.explain_scores` returns
        has the tables of genes and drugs too. `nkpredict.write_results` adds the report.

        Parameters
        ----------
        folder
            Folder to write; earlier results in it are replaced.

        Returns
        -------
        pathlib.Path
            The folder.

        Raises
        ------
        InputError
            When the folder holds files that are no results.
        """
        return write_folder(folder, partial(write_numbers, self))

    def _read_values(self) -> AnnData:
        from anndata import AnnData

        profiles = self.profiles.given.frame().dropna(axis=1, how="all")
        return AnnData(profiles.set_axis(self.table.index.astype(str), axis=0).astype("float32"))

    def _repr_html_(self) -> str:
        return scores_html(self)

    def __repr__(self) -> str:
        """Summarise in a few lines."""
        table = self.table
        mark = " SIMULATED" if self.simulated else ""
        domain = "reference" if self.provenance.model.knowledge_only else "training"
        return (
            f"Scores{mark} of {len(table)} samples with {self.provenance.model.name}\n"
            f"  susceptibility {table['susceptibility'].min():.3f} to "
            f"{table['susceptibility'].max():.3f}, median {table['susceptibility'].median():.3f}\n"
            f"  {int(table['in_domain'].sum())} of {len(table)} in the {domain} domain, genes of "
            f"the model found: {table['gene_coverage'].mean():.0%}"
        )


def _storable(values: pd.Series) -> pd.Series:
    """Return a column as HDF5 can hold it: one type, whatever is missing."""
    if values.dtype != object:
        return values
    if pd.api.types.infer_dtype(values, skipna=True) == "boolean":
        return values.astype("boolean")
    return values.where(values.isna(), values.astype(str)).astype("category")
