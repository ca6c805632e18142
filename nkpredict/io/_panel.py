"""A panel: expression and response of the same samples, joined by name, ready for learning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nkpredict.configuration import Direction, Duplicates, Orientation
from nkpredict.errors import InputError, name_some
from nkpredict.facts import PanelFacts
from nkpredict.io._facts import facts_of, record_facts
from nkpredict.io._genetics import add_genetics
from nkpredict.io._response import Response, plain_line_name, read_response
from nkpredict.io.expression import read_expression
from nkpredict.types import IndexArray, LabelArray

if TYPE_CHECKING:
    from anndata import AnnData

# Columns of annotation tables under which a response may name the samples, in this order.
_OTHER_NAMES = ("ModelID", "DepMap_ID", "StrippedCellLineName", "CellLineName", "CCLEName")


def read_panel(
    expression: str | Path,
    response: str | Path,
    *,
    target: str | None = None,
    direction: Direction | None = None,
    replicates: str | Path | None = None,
    obs: str | Path | None = None,
    genetics: str | Path | None = None,
    lineage_column: str = "lineage",
    drop_unmatched: bool = False,
    orientation: Orientation = "auto",
    unit: str = "auto",
    duplicates: Duplicates | None = None,
) -> AnnData:
    """Read expression and response and join them by sample name.

    Names are matched as they stand, then without CCLE's tissue suffix and punctuation, then
    through the other names in the annotation table or the response (DepMap ids). Samples without a
    response are left out.

    Parameters
    ----------
    genetics
        Mutations, copy numbers or subtypes, samples × features; see
        `nkpredict.io.add_genetics`.
    expression, obs, orientation, unit, duplicates
        See `read_expression`.
    response, target, direction, replicates
        See `read_response`.
    lineage_column
        Column of the annotations (or ``Subtype`` of a PRISM file) with the lineage.
    drop_unmatched
        Leave out samples that have a response but no expression; otherwise they are an error.

    Returns
    -------
    anndata.AnnData
        Samples × genes with ``obs["susceptibility"]``, ``obs["response_original"]`` and, where
        known, ``obs["lineage"]`` and ``obs["sample_weight"]`` (by replicates, see
        docs/decisions/033); for PRISM files ``obsm["viability"]``, samples × E:T ratios (as
        text, ``"0.625"``) in % viability; ``uns["nkpredict"]`` records every decision.

    Raises
    ------
    InputError
        When samples of the response are not in the expression, or two match the same one.
    """
    adata = read_expression(
        expression, obs=obs, orientation=orientation, unit=unit, duplicates=duplicates
    )
    if genetics is not None:
        add_genetics(adata, genetics)
    measured = read_response(response, target=target, direction=direction, replicates=replicates)
    positions, matched_by = _match(adata, measured)
    unmatched = measured.table.index[positions < 0]
    if len(unmatched) and (not drop_unmatched or len(unmatched) == len(measured.table)):
        mend = "" if len(unmatched) == len(measured.table) else ", or drop them (--drop-unmatched)"
        raise InputError(
            f"{len(unmatched)} of {len(measured.table)} samples with a response are not in the "
            f"expression ({name_some(unmatched)}; the expression has "
            f"{name_some(adata.obs_names, 3)}); expected the same sample names in both. Correct "
            f"the names{mend}."
        )
    panel = _joined(adata, measured, positions)
    _set_lineage(panel, measured.table[positions >= 0], lineage_column)
    joined = PanelFacts(
        samples=panel.n_obs,
        genes=panel.n_vars,
        matched_by=matched_by,
        samples_without_response=adata.n_obs - panel.n_obs,
        samples_without_expression=tuple(str(name) for name in unmatched),
        lineages={str(k): int(v) for k, v in _counts(panel).items()},
    )
    facts, response_facts = facts_of(adata), measured.provenance
    simulated = facts.simulated or response_facts.simulated
    facts = replace(facts, response=response_facts, panel=joined, simulated=simulated)
    record_facts(panel, facts)
    return panel


def _match(adata: AnnData, response: Response) -> tuple[IndexArray, str]:
    names = response.table.index
    candidates: list[tuple[str, Any, Any]] = [
        ("sample name", adata.obs_names, names),
        (
            "sample name without suffix and punctuation",
            adata.obs_names.map(plain_line_name),
            names.map(plain_line_name),
        ),
    ]
    for column in (c for c in _OTHER_NAMES if c in adata.obs):
        other = adata.obs[column].astype(str)
        candidates.append((f"annotation {column}", other, names))
        candidates.append(
            (f"annotation {column}, plain", other.map(plain_line_name), names.map(plain_line_name))
        )
    if "depmap_id" in response.table:
        candidates.append(
            ("DepMap_ID of the response", adata.obs_names, response.table["depmap_id"].astype(str))
        )
    best, matched_by = np.full(len(names), -1), "nothing"
    for what, known, wanted in candidates:
        index = pd.Index(known)
        lookup = pd.Series(np.arange(len(index)), index=index)
        lookup = lookup[~lookup.index.duplicated(keep=False)]
        positions = pd.Index(wanted).map(lookup).to_numpy(dtype=float, na_value=-1).astype(int)
        if (positions >= 0).sum() > (best >= 0).sum():
            best, matched_by = positions, what
    return best, matched_by


def _joined(adata: AnnData, measured: Response, positions: IndexArray) -> AnnData:
    """Return the samples that have both expression and response, the response in ``obs``."""
    matched = positions >= 0
    _reject_shared(measured.table.index[matched], positions[matched], adata)
    panel = adata[positions[matched]].copy()
    table = measured.table[matched]
    panel.obs["susceptibility"] = table["susceptibility"].to_numpy()
    panel.obs["response_original"] = table["original"].to_numpy()
    if "weight" in table:
        panel.obs["sample_weight"] = table["weight"].to_numpy()
    for column in ("viability_auc", "ratios_measured", "extrapolated"):
        if column in table:
            panel.obs[column] = table[column].to_numpy()
    if measured.curves is not None:
        curves = measured.curves[matched].set_axis(panel.obs_names, axis=0)
        panel.obsm["viability"] = curves.set_axis([f"{r:g}" for r in curves.columns], axis=1)
    return panel


def _set_lineage(panel: AnnData, table: pd.DataFrame, column: str) -> None:
    """Take the lineage from the annotations, else from the subtype of a PRISM file."""
    if column in panel.obs:
        panel.obs["lineage"] = _lineage(panel.obs[column])
    elif "subtype" in table:
        panel.obs["lineage"] = _lineage(table["subtype"])
    elif column != "lineage":
        raise InputError(
            f"The annotations have no column {column!r}; they have {name_some(panel.obs.columns)}."
        )


def _reject_shared(names: pd.Index, positions: IndexArray, adata: AnnData) -> None:
    shared = pd.Series(positions, index=names)
    shared = shared[shared.duplicated(keep=False)]
    if len(shared):
        raise InputError(
            f"{len(shared)} samples of the response ({name_some(shared.index)}) match the same "
            f"expression profiles ({name_some(adata.obs_names[shared.unique()])}); expected one "
            "each. Rename or remove the repeats."
        )


def _lineage(values: pd.Series) -> LabelArray:
    return values.astype(object).where(values.notna(), "unknown").astype(str).to_numpy()


def _counts(panel: AnnData) -> dict[str, int]:
    if "lineage" not in panel.obs:
        return {}
    return dict(panel.obs["lineage"].value_counts())
