"""Build data/reference/gene_names.tsv.gz from two NCBI Gene extracts.

Example
-------
python experiments/build_gene_table.py --aliases alias_to_symbol.tsv.gz \
    --ensembl ensembl_to_symbol.tsv.gz --release 2022-09
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

import pandas as pd

TARGET = Path(__file__).parents[1] / "data" / "reference" / "gene_names.tsv.gz"
KEPT_TYPES = ("protein-coding", "other")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--aliases", type=Path, required=True, help="alias, symbol, entrez, gene_type"
    )
    parser.add_argument("--ensembl", type=Path, required=True, help="ensembl_id, symbol")
    parser.add_argument("--release", required=True, help="year-month of the NCBI Gene release")
    options = parser.parse_args()

    aliases = pd.read_csv(options.aliases, sep="\t", keep_default_na=False, dtype=str)
    ensembl = pd.read_csv(options.ensembl, sep="\t", keep_default_na=False, dtype=str)
    kept = set(aliases.loc[aliases["gene_type"].isin(KEPT_TYPES), "symbol"])
    every_symbol = set(aliases["symbol"])

    # An alias that several genes share, of whatever type, is written once for each of them:
    # the reader sees more than one row and refuses to choose.
    other_names = aliases[~aliases["alias"].isin(every_symbol)]
    shared = set(other_names.loc[other_names["symbol"].isin(kept), "alias"])
    tables = [
        pd.DataFrame({"name": sorted(kept), "kind": "symbol", "symbol": sorted(kept)}),
        other_names[other_names["alias"].isin(shared)]
        .rename(columns={"alias": "name"})
        .assign(kind="alias")[["name", "kind", "symbol"]],
        ensembl[ensembl["symbol"].isin(kept)]
        .rename(columns={"ensembl_id": "name"})
        .assign(kind="ensembl")[["name", "kind", "symbol"]],
        aliases[aliases["gene_type"].isin(KEPT_TYPES)]
        .rename(columns={"entrez": "name"})
        .assign(kind="entrez")[["name", "kind", "symbol"]],
    ]
    table = pd.concat(tables).drop_duplicates().sort_values(["kind", "name", "symbol"])
    table["source"] = f"NCBI Gene {options.release}"
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(TARGET, "wb", mtime=0) as stream:
        stream.write(table.to_csv(sep="\t", index=False).encode())
    print(table["kind"].value_counts().to_string())


if __name__ == "__main__":
    main()
