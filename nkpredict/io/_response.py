"""Read NK-killing responses: PRISM viability files or any simple table of values."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.configuration import Direction
from nkpredict.errors import InputError, name_some
from nkpredict.facts import ResponseFacts
from nkpredict.io._killing_curve import (
    MAXIMUM_RATIO,
    area_under_curve,
    measurement_weights,
    noise_ceiling,
    replicate_areas,
)
from nkpredict.io._simulated import all_simulated
from nkpredict.io._tables import read_text_table
from nkpredict.io._writing import file_sha256
from nkpredict.types import FloatArray

SIMPLE_TABLE = "simple table"
"""Format of a response that is one column of a table."""
CCLE_SUFFIX = "_HAEMATOPOIETIC_AND_LYMPHOID_TISSUE"
# Left out by the authors of the study (Dufva et al. 2023, doi 10.1016/j.immuni.2023.11.008).
EXCLUDED_LINES = ("HUT78",)
_CONDITION = re.compile(r"^(?P<donor>[^_]+)_(?:(?P<control>CTRL)|NK_(?P<ratio>\d+(?:\.\d+)?))$")


@dataclass(frozen=True)
class Response:
    """Susceptibility of each sample and where it came from.

    Attributes
    ----------
    table : pandas.DataFrame
        Indexed by sample name as in the file: ``susceptibility`` (higher = killed more easily),
        ``original`` (the value on the scale of the file), and for PRISM files ``viability_auc``,
        ``ratios_measured``, ``extrapolated``, ``depmap_id``, ``subtype``, and with biological
        replicates ``weight``, see `measurement_weights`.
    provenance : ResponseFacts
        Format, direction, how the original scale is recovered, what was left out, noise ceiling.
    curves : pandas.DataFrame or None
        Of PRISM files: samples × E:T ratios, % viability, NaN where not measured.
    """

    table: pd.DataFrame
    provenance: ResponseFacts
    curves: pd.DataFrame | None = None

    @property
    def susceptibility(self) -> pd.Series:
        """Susceptibility by sample name."""
        return self.table["susceptibility"]

    def __repr__(self) -> str:
        """Summarise in one line."""
        return (
            f"Response of {len(self.table)} samples ({self.provenance.format}), "
            f"susceptibility {self.susceptibility.min():.3g} to {self.susceptibility.max():.3g}"
        )


def read_response(
    path: str | Path,
    *,
    target: str | None = None,
    direction: Direction | None = None,
    replicates: str | Path | None = None,
) -> Response:
    """Read a response file and turn it into susceptibility, higher = killed more easily.

    Recognised by content: the long PRISM viability file (``cell_line``, ``Condition``,
    ``pctviability``), the wide file of biological replicates, and any table whose first column
    names the samples.

    Parameters
    ----------
    path
        CSV or TSV, plain or gzip.
    target
        Column with the values, when a simple table has several.
    direction
        Whether low or high values mean sensitive; needed for a simple table.
    replicates
        PRISM file of biological replicates, for the noise ceiling and the weights of the lines.

    Returns
    -------
    Response

    Raises
    ------
    InputError
        When the file is not one of these formats, names a sample twice, or has no values.
    """
    table = read_text_table(path, "response of the samples")
    columns = set(table.columns)
    if {"cell_line", "Condition", "pctviability"} <= columns:
        response = _from_long(table, path)
    elif {"Condition", "Biological_replicate"} <= columns:
        response = _from_replicates(table, path)
    else:
        response = _from_simple(table, path, target, direction)
    if replicates is not None:
        repeated = read_text_table(replicates, "biological replicates")
        _require(repeated, {"Condition", "Biological_replicate"}, replicates)
        curves = _replicate_curves(repeated, replicates)
        areas = replicate_areas(curves)
        agreement = replace(
            noise_ceiling(areas),
            file=Path(replicates).name,
            sha256=file_sha256(replicates),
        )
        facts = replace(response.provenance, replicates=agreement)
        response = _weighted(replace(response, provenance=facts), areas)
    return response


def plain_line_name(name: str) -> str:
    """Strip the tissue suffix of CCLE names and the punctuation people write differently."""
    return re.sub(r"[^A-Z0-9]", "", str(name).upper().removesuffix(CCLE_SUFFIX))


def _from_long(table: pd.DataFrame, path: str | Path) -> Response:
    viability = _numbers(table["pctviability"], "pctviability", path)
    long = pd.DataFrame(
        {
            "line": table["cell_line"].astype(str),
            "ratio": _ratios(table["Condition"], path),
            "viability": viability,
        }
    )
    included, excluded = _without_excluded(long)
    measured = included.dropna(subset=["viability"])
    curves = measured.pivot_table(index="line", columns="ratio", values="viability", aggfunc="mean")
    response = _from_curves(curves, path, excluded)
    described = table.assign(line=table["cell_line"].astype(str)).drop_duplicates("line")
    described = described.set_index("line").reindex(response.table.index)
    for column, name in (("DepMap_ID", "depmap_id"), ("Subtype", "subtype")):
        if column in described:
            response.table[name] = described[column]
    repeats = measured.groupby(["line", "ratio"]).size()
    facts = replace(
        response.provenance,
        format="PRISM viability, long",
        measurements=len(measured),
        most_repeats=int(repeats.max()),
    )
    return replace(response, provenance=facts)


def _from_replicates(table: pd.DataFrame, path: str | Path) -> Response:
    curves = _replicate_curves(table, path)
    mean = curves.groupby(level="ratio").mean().T
    excluded = [str(name) for name in mean.index if plain_line_name(name) in EXCLUDED_LINES]
    response = _from_curves(mean.drop(index=excluded), path, excluded)
    areas = replicate_areas(curves.drop(columns=excluded))
    facts = replace(
        response.provenance,
        format="PRISM viability, biological replicates",
        replicates=noise_ceiling(areas),
    )
    return _weighted(replace(response, provenance=facts), areas)


def _weighted(response: Response, areas: pd.DataFrame) -> Response:
    """Add the weights of the lines; none to a response that is no area under the same curves."""
    if "ratios_measured" not in response.table:
        return response
    names = response.table.index
    by_name = areas.set_axis(areas.index.map(plain_line_name))
    by_name = by_name[~by_name.index.duplicated()]
    own = by_name.reindex(names.map(plain_line_name)).set_axis(names)
    weighted = measurement_weights(response.table, own)
    if weighted is None:
        return response
    weights, facts = weighted
    return replace(
        response,
        table=response.table.assign(weight=weights),
        provenance=replace(response.provenance, weights=facts),
    )


def _replicate_curves(table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    lines = [c for c in table.columns if c not in ("Condition", "Biological_replicate", "note")]
    values = table[lines].apply(lambda column: _numbers(column, str(column.name), path))
    index = pd.MultiIndex.from_arrays(
        [_ratios(table["Condition"], path), table["Biological_replicate"].astype(str)],
        names=["ratio", "replicate"],
    )
    return values.set_axis(index, axis=0)


def _from_curves(curves: pd.DataFrame, path: str | Path, excluded: list[str]) -> Response:
    if curves.empty:
        raise InputError(f"{path} holds no viability values; expected % viability by E:T ratio.")
    result = area_under_curve(curves)
    dropped = result.index[result["viability_auc"].isna()]
    table = result.drop(index=dropped)
    if table.empty:
        raise InputError(
            f"No cell line of {path} has viability at enough E:T ratios; expected three or more, "
            f"one of them {MAXIMUM_RATIO / 2:g} or higher."
        )
    table["original"] = table["viability_auc"]
    table["susceptibility"] = 1 - table["viability_auc"]
    table.index.name = "sample"
    return Response(
        table,
        ResponseFacts(
            file=Path(path).name,
            sha256=file_sha256(path),
            direction="lower-is-sensitive",
            unit="area under % viability over E:T 0 to 5, divided by 500",
            susceptibility="1 - viability_auc",
            offset=1.0,
            slope=-1.0,
            lines_excluded_by_the_study=tuple(str(name) for name in excluded),
            lines_with_too_few_ratios=tuple(str(name) for name in dropped),
            lines_with_missing_ratios=int((table["ratios_missing"] > 0).sum()),
            lines_extrapolated=tuple(str(n) for n in table.index[table["extrapolated"]]),
            simulated=all_simulated(table.index),
        ),
        curves.loc[table.index],
    )


def _target_column(table: pd.DataFrame, path: str | Path, target: str | None) -> str:
    """Return the column with the response: the one asked for, else the only one of numbers."""
    columns = [str(column) for column in table.columns[1:]]
    if target is None:
        numeric = [c for c in columns if pd.api.types.is_numeric_dtype(table[c])]
        if len(numeric) != 1:
            raise InputError(
                f"{path} has {len(numeric)} columns of numbers ({name_some(numeric) or 'none'}); "
                "name the one with the response (--target), after the first column with the "
                "sample names."
            )
        return numeric[0]
    if target not in columns:
        raise InputError(f"{path} has no column {target!r}; it has {name_some(columns)}.")
    return target


def _from_simple(
    table: pd.DataFrame, path: str | Path, target: str | None, direction: Direction | None
) -> Response:
    target = _target_column(table, path, target)
    if direction is None:
        raise InputError(
            f"{path} does not say whether high or low {target} means sensitive; name the direction "
            "(--direction lower-is-sensitive or higher-is-sensitive)."
        )
    names = table.iloc[:, 0].astype(str).str.strip()
    repeated = names[names.duplicated()].unique()
    if len(repeated):
        raise InputError(
            f"{path} names {len(repeated)} samples more than once ({name_some(repeated)}); "
            "expected one row a sample. Average or remove the repeats."
        )
    original = pd.Series(_numbers(table[target], target, path).to_numpy(), index=names)
    infinite = original.index[np.isinf(original)]
    if len(infinite):
        raise InputError(
            f"{path} has infinite values of {target} for {len(infinite)} samples "
            f"({name_some(infinite)}); remove them."
        )
    missing = original.index[original.isna()]
    original = original.dropna()
    if original.empty:
        raise InputError(f"{path} has no value of {target} for any sample.")
    if direction == "higher-is-sensitive":
        offset, slope, words = 0.0, 1.0, target
    elif original.between(0, 1.5).all():  # a normalised area: 1 is no killing, growth goes above
        offset, slope, words = 1.0, -1.0, f"1 - {target}"
    else:
        offset, slope, words = 0.0, -1.0, f"-{target}"
    result = pd.DataFrame({"original": original, "susceptibility": offset + slope * original})
    result.index.name = "sample"
    return Response(
        result,
        ResponseFacts(
            file=Path(path).name,
            sha256=file_sha256(path),
            format=SIMPLE_TABLE,
            target=target,
            direction=direction,
            unit=target,
            susceptibility=words,
            offset=offset,
            slope=slope,
            samples_without_value=tuple(str(name) for name in missing),
            simulated=all_simulated(result.index),
        ),
    )


def _ratios(conditions: pd.Series, path: str | Path) -> FloatArray:
    found = conditions.astype(str).str.extract(_CONDITION)
    unknown = conditions[found["control"].isna() & found["ratio"].isna()].astype(str).unique()
    if len(unknown):
        raise InputError(
            f"{path} has {len(unknown)} conditions that are not understood ({name_some(unknown)}); "
            "expected donor and E:T ratio such as D1_CTRL and D1_NK_0.625."
        )
    donors = found["donor"].unique()
    if len(donors) > 1:
        raise InputError(
            f"{path} holds {len(donors)} NK donors ({name_some(donors)}); expected one. Split the "
            "file by donor, because donors differ in how well their NK cells kill."
        )
    ratios = found["ratio"].astype(float).where(found["control"].isna(), 0.0)
    return np.asarray(ratios, dtype=np.float64)


def _without_excluded(long: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    drop = long["line"].map(plain_line_name).isin(EXCLUDED_LINES)
    return long[~drop], sorted(long.loc[drop, "line"].unique())


def _numbers(column: pd.Series, name: str, path: str | Path) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    text = column[numbers.isna() & column.notna()]
    if len(text):
        raise InputError(
            f"{path} has text in {len(text)} cells of {name} ({name_some(text.unique())}); "
            "expected numbers."
        )
    return numbers.astype(float)


def _require(table: pd.DataFrame, columns: set[str], path: str | Path) -> None:
    absent = columns - set(table.columns)
    if absent:
        raise InputError(
            f"{path} has no column {' and '.join(sorted(absent))}; it has "
            f"{name_some(table.columns)}."
        )
