"""Build data/reference/platform_levels.csv.gz: how platforms read the same genes.

A level is the normal score of a gene's rank within its profile. The profiles stay with their
owners: the table holds means, spreads and, for lines on two platforms, how well both agree.

Example
-------
python -m experiments.build_platform_levels --data ../my-data
"""

from __future__ import annotations

import argparse
import gzip
import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from nkpredict import read_expression
from nkpredict.vocabulary import Platform

TARGET = Path(__file__).parents[1] / "data" / "reference" / "platform_levels.csv.gz"
BLOOD = "expression/gdsc_blood_cell_lines.csv.gz"
LINES = "expression/gdsc_blood_cell_lines_obs.csv"
OTHER = "expression/gdsc_other_cell_lines.csv.gz"
RNA_SEQ = "expression/hpa_cell_lines_log2ptpm.csv.gz"
AML = "patients/aml100_star_counts_genes_x_samples.csv.gz"
ALL = "patients/chiaretti_all_log2rma_genes_x_samples.csv.gz"
ALL_PATIENTS = "patients/chiaretti_all_obs.csv"
# Lines that the Human Protein Atlas and GDSC write in more than another punctuation (Cellosaurus).
OTHER_NAMES = {"U-698": "U698M", "U-251 MG": "U251", "RH-30": "SJRH30", "NTERA-2": "NTERA2CLD1"}
_LEAST_VARIANCE = 0.02  # added to both variances, so that silent genes agree with nobody
_DECIMALS = 2
_COLUMNS = ["level", "spread", "array_level", "array_spread", "agreement"]


def normal_scores(profiles: pd.DataFrame) -> pd.DataFrame:
    """Return the normal score of each gene's rank within its profile, missing genes left out."""
    ranks = profiles.rank(axis=1)
    return ranks.sub(0.5).div(profiles.notna().sum(axis=1), axis=0).apply(norm.ppf)


def lines_on_both(rna_seq: pd.Index, arrays: pd.Index) -> dict[str, str]:
    """Return the lines of the Human Protein Atlas that GDSC has too, by the names of both."""
    known = {_plain(name): name for name in arrays}
    both = {name: known.get(_plain(name), OTHER_NAMES.get(name)) for name in rna_seq}
    return {name: line for name, line in both.items() if line is not None}


def matched(rna_seq: pd.DataFrame, arrays: pd.DataFrame) -> pd.DataFrame:
    """Levels of the same lines on both platforms; rows of both frames are in the same order."""
    first, second = rna_seq.to_numpy(), arrays.to_numpy()
    own, other = first - first.mean(axis=0), second - second.mean(axis=0)
    variances = [(one**2).mean(axis=0) + _LEAST_VARIANCE for one in (own, other)]
    both = np.sqrt(variances[0] * variances[1])
    return pd.DataFrame(
        {
            "level": first.mean(axis=0),
            "spread": first.std(axis=0),
            "array_level": second.mean(axis=0),
            "array_spread": second.std(axis=0),
            "agreement": np.clip((own * other).mean(axis=0) / both, 0, 1),
        },
        index=rna_seq.columns,
    )


def unmatched(groups: list[tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """Levels of patients and of lines of the same diseases on arrays; diseases count alike."""
    patients, lines = zip(*groups, strict=True)
    columns = {
        "level": sum(one.mean() for one in patients) / len(groups),
        "spread": np.sqrt(sum(one.var(ddof=0) for one in patients) / len(groups)),
        "array_level": sum(one.mean() for one in lines) / len(groups),
        "array_spread": np.sqrt(sum(one.var(ddof=0) for one in lines) / len(groups)),
    }
    return pd.DataFrame(columns).assign(agreement=np.nan).dropna(subset=["level"])


def platform_levels(
    arrays: pd.DataFrame,
    lineage: pd.Series,
    both: tuple[pd.DataFrame, pd.DataFrame],
    aml: pd.DataFrame,
    leukaemias: dict[str, pd.DataFrame],
) -> pd.DataFrame:
    """Put the table together from normal scores; ``leukaemias`` are patients by lineage."""
    own = arrays.mean(), arrays.std(ddof=0)
    parts = {
        Platform.ARRAY: (
            pd.DataFrame(dict(zip(_COLUMNS, (*own, *own, 1.0), strict=True))),
            f"GDSC (HG-U219 arrays, RMA): {len(arrays)} blood-cancer lines",
        ),
        Platform.RNA_SEQ: (
            matched(*both),
            f"Human Protein Atlas 19.3 and GDSC: {len(both[0])} lines measured by both",
        ),
        Platform.RNA_SEQ_PATIENTS: (
            unmatched([(aml, arrays[lineage == "AML"])]),
            f"AMLmapR (STAR counts): {len(aml)} AML patients; GDSC: AML lines",
        ),
        Platform.OLD_ARRAY_PATIENTS: (
            unmatched([(one, arrays[lineage == name]) for name, one in leukaemias.items()]),
            f"Chiaretti 2004 (HG-U95Av2, RMA): {sum(map(len, leukaemias.values()))} ALL patients; "
            "GDSC: lines of B-ALL and T-ALL",
        ),
    }
    tables = [
        table.round(_DECIMALS)
        .rename_axis("gene")
        .reset_index()
        .assign(platform=str(name), source=source)
        for name, (table, source) in parts.items()
    ]
    columns = ["platform", "gene", *_COLUMNS, "source"]
    return pd.concat(tables)[columns].sort_values(["platform", "gene"]).reset_index(drop=True)


def read_parts(data: Path) -> tuple:
    """Read the profiles as normal scores of the genes that arrays and RNA-seq share."""
    files = {
        file: read_expression(data / file).to_df() for file in (BLOOD, OTHER, RNA_SEQ, AML, ALL)
    }
    genes = files[BLOOD].columns.intersection(files[RNA_SEQ].columns)
    blood, other, rna_seq, aml, leukaemia = (
        normal_scores(one.reindex(columns=genes)) for one in files.values()
    )
    lineage = pd.read_csv(data / LINES, index_col=0)["lineage"].loc[blood.index]
    cells = pd.read_csv(data / ALL_PATIENTS, index_col=0).loc[leukaemia.index, "BT"].str[0]
    leukaemias = {"B-ALL": leukaemia[cells == "B"], "T-ALL": leukaemia[cells == "T"]}
    everywhere = pd.concat([blood, other])
    names = lines_on_both(rna_seq.index, everywhere.index)
    both = rna_seq.loc[list(names)], everywhere.loc[list(names.values())]
    return blood, lineage, both, aml, leukaemias


def write(table: pd.DataFrame, target: Path) -> None:
    """Write the table; the same table gives the same bytes."""
    with gzip.GzipFile(target, "wb", mtime=0) as stream:
        stream.write(table.to_csv(index=False).encode())


def _plain(name: str) -> str:
    return re.sub("[^A-Z0-9]", "", name.upper())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds expression/ and patients/")
    table = platform_levels(*read_parts(parser.parse_args().data))
    write(table, TARGET)
    print(table.groupby("platform").size().to_string())


if __name__ == "__main__":
    main()
