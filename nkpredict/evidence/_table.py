"""The tables of evidence: screens, one row per gene and screen, and genes, one row each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.facts import CombinationFacts, EvidenceFacts, KnowledgeFacts, ScreenFacts
from nkpredict.io import (
    SCREEN_COLUMNS,
    SIMULATED_PREFIX,
    SampleSheet,
    ScreenMetadata,
    read_screen_tables,
)
from nkpredict.types import FloatArray
from nkpredict.vocabulary import Perturbation

EVIDENCE_COLUMNS = ("evidence", "confidence", "n_screens", "agreement", "conflict")
DETAIL_COLUMNS = ("sources", "lines", "effectors", "axis", "group")
"""What a judgement says beside, where it was made by :func:`~nkpredict.evidence.gene_evidence`."""

_TEXT = ("gene", "screen", "cell_line", "perturbation", "effector", "source")
_PER_SCREEN = ("cell_line", "perturbation", "effector", "source")


@dataclass(frozen=True, eq=False, repr=False)
class ScreenTable:
    """Results of CRISPR screens, checked and signed alike.

    Attributes
    ----------
    table
        One row per gene and screen; columns ``gene, screen, cell_line, perturbation`` (``loss``
        or ``gain``), ``effector, effect`` (+ = the gene sensitizes tumour cells to NK cells),
        ``lfc`` (log2 fold change or MAGeCK beta as published), ``p`` (two-sided), ``fdr``,
        ``source``. ``effect`` and ``lfc`` are NaN where a p is known without its sign.
    provenance
        Files, counts of what was repaired or dropped, assumptions, and ``simulated``.

    Raises
    ------
    InputError
        When a column is missing, a gene is twice in a screen, a screen is described in two ways,
        or a value is outside its range.
    """

    table: pd.DataFrame
    provenance: ScreenFacts = field(default_factory=ScreenFacts)

    def __post_init__(self) -> None:
        """Check every row."""
        table = self.table
        lacking = [name for name in SCREEN_COLUMNS if name not in table.columns]
        if lacking:
            raise InputError(
                f"The screen table lacks the columns {name_some(lacking)}; expected "
                f"{', '.join(SCREEN_COLUMNS)}."
            )
        if table.empty:
            raise InputError("The screen table has no rows; expected one per gene and screen.")
        _check_text(table)
        _check_numbers(table)
        twice = table.duplicated(["screen", "gene"])
        if twice.any():
            raise InputError(
                f"The screen table has {int(twice.sum())} genes more than once in a screen "
                f"({name_some(table.loc[twice, 'gene'].unique())}); expected one row each."
            )
        described = table[["screen", *_PER_SCREEN]].drop_duplicates()
        unclear = described.loc[described["screen"].duplicated(), "screen"].unique()
        if len(unclear):
            raise InputError(
                f"The screen table describes {name_some(unclear)} in more than one way; expected "
                f"one {', '.join(_PER_SCREEN)} for each screen."
            )

    @property
    def screens(self) -> pd.DataFrame:
        """One row per screen: cell line, perturbation, effector, source and number of genes."""
        grouped = self.table.groupby("screen", sort=True)
        return grouped[list(_PER_SCREEN)].first().assign(n_genes=grouped.size())

    @property
    def simulated(self) -> bool:
        """Whether any screen is simulated."""
        named = self.table["screen"].astype(str).str.startswith(SIMULATED_PREFIX).any()
        return self.provenance.simulated or bool(named)

    def __repr__(self) -> str:
        screens = self.screens
        mark = "SIMULATED, " if self.simulated else ""
        kinds = ", ".join(
            f"{count} {kind}" for kind, count in screens["perturbation"].value_counts().items()
        )
        return (
            f"ScreenTable({mark}{len(screens)} screens ({kinds}), "
            f"{self.table['gene'].nunique()} genes, "
            f"effectors: {name_some(sorted(screens['effector'].unique()))})"
        )


@dataclass(frozen=True, eq=False, repr=False)
class GeneEvidence:
    """Signed evidence of genes for or against killing by NK cells.

    Attributes
    ----------
    table
        Indexed by gene: ``evidence`` in [-1, 1] (+ = sensitizes tumour cells to NK cells),
        ``confidence`` in [0, 1], ``n_screens`` (replicates count once), ``agreement`` in [0, 1]
        (share of the absolute z that points the way of the evidence), ``conflict`` (effector
        types or publications contradict each other). Where :func:`gene_evidence` made it also
        ``sources`` (number of studies), ``lines`` and ``effectors`` that the evidence comes from
        (text), ``axis`` and ``group`` of the gene (empty where it has none).
    provenance
        Screens, weights, constants and sources.

    Raises
    ------
    InputError
        When a column is missing, a gene occurs twice or a value is outside its range.
    """

    table: pd.DataFrame
    provenance: EvidenceFacts = field(default_factory=EvidenceFacts)

    def __post_init__(self) -> None:
        """Check the ranges and names."""
        lacking = [name for name in EVIDENCE_COLUMNS if name not in self.table.columns]
        if lacking:
            raise InputError(
                f"The evidence table lacks {name_some(lacking)}; expected "
                f"{', '.join(EVIDENCE_COLUMNS)}."
            )
        repeated = self.table.index[self.table.index.duplicated()]
        if len(repeated):
            raise InputError(
                f"The evidence table has genes more than once ({name_some(repeated.unique())})."
            )
        for name, low in (("evidence", -1), ("confidence", 0), ("agreement", 0)):
            outside = ~self.table[name].between(low, 1)
            if outside.any():
                raise InputError(
                    f"The evidence table has {name} outside {low} to 1 for {int(outside.sum())} "
                    f"genes ({name_some(self.table.index[outside])})."
                )

    def for_genes(self, genes: Sequence[str]) -> FloatArray:
        """Return the signed evidence of genes, 0 where nothing is known.

        Parameters
        ----------
        genes
            Approved symbols.

        Returns
        -------
        numpy.ndarray
            float64 of shape (n_genes,), in the order given.
        """
        return self.table["evidence"].reindex(list(genes)).fillna(0.0).to_numpy(dtype=np.float64)

    def shuffled(self, random_state: int) -> GeneEvidence:
        """Deal the same values out to other genes: the control for what evidence is worth.

        Parameters
        ----------
        random_state
            Seed.

        Returns
        -------
        GeneEvidence
            The same rows under permuted genes.
        """
        order = np.random.default_rng(random_state).permutation(len(self.table))
        table = self.table.iloc[order].set_axis(self.table.index)
        return GeneEvidence(table, replace(self.provenance, shuffled_with_seed=int(random_state)))

    def to_json_dict(self) -> dict[str, Any]:
        """Return the genes with evidence, and the provenance, as plain JSON values."""
        some = self.table.loc[self.table["evidence"] != 0].sort_index()
        details = [name for name in DETAIL_COLUMNS if name in some.columns]
        genes = {
            str(gene): {
                "evidence": float(row["evidence"]),
                "confidence": float(row["confidence"]),
                "n_screens": int(row["n_screens"]),
                "agreement": float(row["agreement"]),
                "conflict": bool(row["conflict"]),
                **{k: int(row[k]) if k == "sources" else str(row[k]) for k in details},
            }
            for gene, row in some.to_dict(orient="index").items()
        }
        return {"genes": genes, "provenance": self.provenance.to_json()}

    @classmethod
    def from_json_dict(cls, content: Mapping[str, Any]) -> GeneEvidence:
        """Build evidence from what :meth:`to_json_dict` returned.

        Raises
        ------
        InputError
            When the content is not of that form.
        """
        try:
            genes = {str(gene): dict(row) for gene, row in content["genes"].items()}
            details = [n for n in DETAIL_COLUMNS if any(n in row for row in genes.values())]
            columns = [*EVIDENCE_COLUMNS, *details]
            table = pd.DataFrame.from_dict(genes, orient="index", columns=columns)
            table = table.astype(
                dict.fromkeys(("evidence", "confidence", "agreement"), np.float64)
                | {"n_screens": np.int64, "conflict": bool}
            )
            provenance = _facts(content["provenance"])
        except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
            raise InputError(
                "The gene evidence is incomplete or altered; expected the entries genes and "
                f"provenance, with {', '.join(EVIDENCE_COLUMNS)} for every gene ({error})."
            ) from error
        table.index.name = "gene"
        return cls(table, provenance)

    @property
    def simulated(self) -> bool:
        """Whether any of the screens is simulated."""
        return self.provenance.simulated

    def __repr__(self) -> str:
        evidence = self.table["evidence"]
        mark = "SIMULATED, " if self.simulated else ""
        return (
            f"GeneEvidence({mark}{len(evidence)} genes, {int((evidence > 0).sum())} sensitizing, "
            f"{int((evidence < 0).sum())} protecting, "
            f"{int(self.table['conflict'].sum())} in conflict)"
        )


def read_screens(
    *paths: str | Path,
    metadata: ScreenMetadata | None = None,
    sample_sheet: SampleSheet | None = None,
) -> ScreenTable:
    """Read CRISPR screen results of any known layout.

    Parameters
    ----------
    *paths
        The study's combined table, MAGeCK RRA or MLE gene summaries, matrices of log2 fold
        changes with or without their RRA scores, scores of BioGRID ORCS, tables of guide counts,
        or tidy screen tables;
        CSV or TSV, plain or gzip-compressed.
    metadata
        What the files do not say, by screen; see
        :func:`nkpredict.io.read_screen_tables`.
    sample_sheet
        Role and screen of every sample of a table of guide counts; see
        :func:`read_sample_sheet`.

    Returns
    -------
    ScreenTable
        Checked rows and their provenance.

    Raises
    ------
    InputError
        When a file cannot be read or breaks the contract.
    """
    return ScreenTable(*read_screen_tables(*paths, metadata=metadata, sample_sheet=sample_sheet))


def _facts(content: Mapping[str, Any]) -> EvidenceFacts:
    for kind, distinctive in ((CombinationFacts, "method"), (KnowledgeFacts, "studies")):
        if distinctive in content:
            return kind.from_json(content)
    return EvidenceFacts.from_json(content)


def _check_text(table: pd.DataFrame) -> None:
    for name in _TEXT:
        blank = [v for v in table[name].unique() if pd.isna(v) or not str(v).strip()]
        if blank:
            raise InputError(
                f"The screen table has no {name} in {int(table[name].isin(blank).sum())} rows; "
                "expected text in "
                "every row, 'unknown' where it is not known."
            )
    foreign = sorted(set(table["perturbation"]) - set(Perturbation))
    if foreign:
        raise InputError(
            f"The screen table has the perturbation {name_some(foreign)}; expected "
            f"{' or '.join(Perturbation)}."
        )


def _check_numbers(table: pd.DataFrame) -> None:
    for name in ("effect", "lfc", "p", "fdr"):
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise InputError(f"The screen table has text in the column {name}; expected numbers.")
    unsigned = table["effect"].isna() & table["lfc"].isna() & table["p"].notna()
    infinite = (~np.isfinite(table["effect"]) | ~np.isfinite(table["lfc"])) & ~unsigned
    if infinite.any():
        raise InputError(
            f"The screen table has no finite effect for {int(infinite.sum())} rows "
            f"({name_some(table.loc[infinite, 'gene'])}); drop these rows."
        )
    outside = ((table[["p", "fdr"]] < 0) | (table[["p", "fdr"]] > 1)).any(axis=1)
    if outside.any():
        raise InputError(
            f"The screen table has p or fdr outside 0 to 1 in {int(outside.sum())} rows "
            f"({name_some(table.loc[outside, 'gene'])})."
        )
    signed = table["lfc"].where(table["perturbation"] != Perturbation.GAIN, -table["lfc"])
    wrong = pd.Series(~np.isclose(table["effect"], signed, equal_nan=True), index=table.index)
    if wrong.any():
        raise InputError(
            f"The screen table has an effect that is not its signed lfc in {int(wrong.sum())} rows "
            f"({name_some(table.loc[wrong, 'gene'])}); expected lfc for loss of function and -lfc "
            "for gain of function."
        )
