"""One cohort in the forms in which laboratories hand it on, made from its plain table.

Each variant writes what it is given and returns what to score: it must get the scores of the plain
table, or be refused with the advice named here.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.io import mmwrite

from nkpredict import score
from nkpredict.errors import InputError
from nkpredict.io import read_shipped_table
from nkpredict.registry import Bundle


@dataclass(frozen=True)
class Cohort:
    """Genes × samples of one cohort: log2 values and counts, under approved symbols."""

    log2: pd.DataFrame
    counts: pd.DataFrame
    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name


@dataclass(frozen=True)
class Variant:
    """A form of the cohort.

    ``base`` names the table whose scores it must get; ``refused`` is what the refusal must say,
    ``numbered`` tells that the variant names no samples.
    """

    name: str
    make: Callable[[Cohort], Any]
    base: str = "log2"
    refused: str | None = None
    numbered: bool = False
    options: dict[str, Any] = field(default_factory=dict)


VARIANTS: list[Variant] = []


def variant(
    name: str,
    base: str = "log2",
    refused: str | None = None,
    numbered: bool = False,
    **options: Any,
) -> Any:
    """Add a function to the variants under a name."""

    def add(make: Callable[[Cohort], Any]) -> Callable[[Cohort], Any]:
        VARIANTS.append(Variant(name, make, base, refused, numbered, options))
        return make

    return add


def check(variant: Variant, bundle: Bundle, tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """Score a variant and compare it with its plain table, or expect the refusal it names."""
    source = variant.make(Cohort(tables["log2"].copy(), tables["counts"].copy(), folder))
    if variant.refused is not None:
        with pytest.raises(InputError, match=variant.refused):
            score(source, bundle, **variant.options)
        return
    scored = score(source, bundle, **variant.options).table
    plain = score(tables[variant.base.removeprefix("first ")].T, bundle).table
    right = plain.iloc[:1] if variant.base.startswith("first") else plain
    assert variant.numbered or list(scored.index) == list(right.index)
    np.testing.assert_allclose(scored["susceptibility"], right["susceptibility"], atol=5e-4)


def ensembl_ids(symbols: pd.Index) -> pd.Index:
    """Return one Ensembl id a symbol, the symbol itself where there is none."""
    table = read_shipped_table("gene_names.tsv.gz")
    known = table[table["kind"] == "ensembl"]
    known = known[~known["name"].duplicated(keep=False)].drop_duplicates("symbol")
    ids = known.set_index("symbol")["name"]
    return pd.Index([ids.get(symbol, symbol) for symbol in symbols])


def entrez_ids(symbols: pd.Index) -> pd.Index:
    """Return one Entrez id a symbol; a number that is none where there is no id."""
    table = read_shipped_table("gene_names.tsv.gz")
    ids = table[table["kind"] == "entrez"].set_index("symbol")["name"].astype(int)
    return pd.Index([int(ids.get(s, 900_000_001 + n)) for n, s in enumerate(symbols)])


def text(frame: pd.DataFrame, path: Path, sep: str = ",", **options: Any) -> Path:
    frame.to_csv(path, sep=sep, **options)
    return path


# --- orientation and delimiters -------------------------------------------------------------


@variant("csv, samples in rows")
def _(c):
    return text(c.log2.T, c.path("a.csv"))


@variant("tsv")
def _(c):
    return text(c.log2, c.path("a.tsv"), "\t")


@variant("txt without telling its separator")
def _(c):
    return text(c.log2, c.path("a.txt"), "\t")


@variant("semicolons")
def _(c):
    return text(c.log2, c.path("a.csv"), ";")


@variant("no file ending")
def _(c):
    return text(c.log2, c.path("matrix"), "\t")


@variant("decimal comma and semicolons")
def _(c):
    return text(c.log2, c.path("a.csv"), ";", decimal=",")


@variant("decimal comma and tabs")
def _(c):
    return text(c.log2, c.path("a.txt"), "\t", decimal=",")


@variant("decimal comma in quotes")
def _(c):
    return text(c.log2, c.path("a.csv"), ",", decimal=",")


@variant("separators of thousands", "counts", "divide thousands")
def _(c):
    big = (c.counts * 100 + 1000).clip(upper=999_999).map("{:,}".format)
    return text(big, c.path("a.tsv"), "\t")


@variant("UTF-16 as Excel saves Unicode text")
def _(c):
    return text(c.log2, c.path("a.txt"), "\t", encoding="utf-16")


@variant("UTF-16 without a byte order mark")
def _(c):
    return text(c.log2, c.path("a.txt"), "\t", encoding="utf-16-le")


@variant("UTF-8 with a byte order mark")
def _(c):
    return text(c.log2, c.path("a.csv"), encoding="utf-8-sig")


@variant("Latin-1 in a column of descriptions")
def _(c):
    frame = c.log2.copy()
    frame.insert(0, "description", "Rezeptor für Größe")
    return text(frame, c.path("a.csv"), encoding="latin-1")


@variant("Windows line ends")
def _(c):
    return text(c.log2, c.path("a.csv"), lineterminator="\r\n")


@variant("old Mac line ends")
def _(c):
    return text(c.log2, c.path("a.csv"), lineterminator="\r")


# --- R ---------------------------------------------------------------------------------------


def write_table(frame: pd.DataFrame, path: Path, sep: str, quote: bool) -> Path:
    quoting = csv.QUOTE_NONNUMERIC if quote else csv.QUOTE_NONE
    lines = frame.to_csv(sep=sep, quoting=quoting, index_label="X").splitlines()
    lines[0] = lines[0].split(sep, 1)[1]
    path.write_text("\n".join(lines) + "\n")
    return path


@variant("R write.table: header one shorter, blanks, quotes")
def _(c):
    return write_table(c.log2, c.path("a.txt"), " ", True)


@variant("R write.table with tabs")
def _(c):
    return write_table(c.log2, c.path("a.txt"), "\t", False)


@variant("R write.csv of samples × genes: dots for hyphens, X before numbers")
def _(c):
    frame = c.log2.T
    frame.columns = frame.columns.str.replace("-", ".", regex=False)
    return text(frame, c.path("a.csv"), quoting=csv.QUOTE_NONNUMERIC)


@variant("R data frame with row numbers before the genes")
def _(c):
    frame = c.log2.reset_index(names="gene")
    frame.index = pd.Index(range(1, len(frame) + 1))
    return text(frame, c.path("a.csv"))


@variant("R object", refused="an R object|write.csv|control characters")
def _(c):
    c.path("a.rds").write_bytes(gzip.compress(b"X\n\x00\x00\x00\x03" + b"\x00" * 200))
    return c.path("a.rds")


# --- compression and archives ----------------------------------------------------------------


def compressed(c: Cohort, name: str, compress: Callable[[bytes], bytes]) -> Path:
    c.path(name).write_bytes(compress(c.log2.to_csv().encode()))
    return c.path(name)


@variant("gzip")
def _(c):
    return compressed(c, "a.csv.gz", gzip.compress)


@variant("bzip2")
def _(c):
    return compressed(c, "a.csv.bz2", bz2.compress)


@variant("xz")
def _(c):
    return compressed(c, "a.csv.xz", lzma.compress)


def zipped(c: Cohort, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(c.path("a.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return c.path("a.zip")


@variant("zip with what macOS adds")
def _(c):
    return zipped(c, {"data/a.csv": c.log2.to_csv(), "__MACOSX/data/._a.csv": "x"})


@variant("zip with two tables", refused="holds 2 files .*Unpack it")
def _(c):
    return zipped(c, {"a.csv": c.log2.to_csv(), "b.csv": c.log2.to_csv()})


@variant("truncated gzip", refused="truncated. Copy it again")
def _(c):
    content = gzip.compress(c.log2.to_csv().encode())
    c.path("a.csv.gz").write_bytes(content[: len(content) // 2])
    return c.path("a.csv.gz")


@variant("text cut off in the last line", refused="is cut off: its last line")
def _(c):
    content = c.log2.to_csv()
    c.path("a.csv").write_text(content[: content.rfind(",", 0, len(content) * 2 // 3)])
    return c.path("a.csv")


# --- workbooks -------------------------------------------------------------------------------


@variant("xlsx")
def _(c):
    c.log2.to_excel(c.path("a.xlsx"))
    return c.path("a.xlsx")


@variant("xlsx, samples in rows")
def _(c):
    c.log2.T.to_excel(c.path("a.xlsx"))
    return c.path("a.xlsx")


@variant("xlsx with a title, an empty row and a second sheet of notes")
def _(c):
    with pd.ExcelWriter(c.path("a.xlsx")) as book:
        c.log2.to_excel(book, sheet_name="expression", startrow=2)
        book.sheets["expression"].cell(1, 1, "Supplementary Table 3. RMA values")
        pd.DataFrame({"patient": ["A", "B"], "age": [3, 4]}).to_excel(book, sheet_name="patients")
    return c.path("a.xlsx")


@variant("xlsx with two sheets of expression", refused="has 2 sheets with a table")
def _(c):
    with pd.ExcelWriter(c.path("a.xlsx")) as book:
        c.log2.to_excel(book, sheet_name="one")
        c.log2.to_excel(book, sheet_name="two")
    return c.path("a.xlsx")


@variant("damaged xlsx", refused="not a readable (workbook|archive)")
def _(c):
    c.log2.iloc[:200].to_excel(c.path("a.xlsx"))
    content = c.path("a.xlsx").read_bytes()
    c.path("a.xlsx").write_bytes(content[: len(content) // 2])
    return c.path("a.xlsx")


@variant("genes that a spreadsheet turned into dates")
def _(c):
    dates = {"MARCHF7": "7-Mar", "SEPTIN2": "2-Sep", "SEPTIN6": "2020-09-06"}
    return text(c.log2.rename(index=dates), c.path("a.csv"))


# --- Broad, GEO, Xena, cBioPortal ------------------------------------------------------------


def gct(c: Cohort, version: str, columns: pd.DataFrame | None = None) -> Path:
    frame = c.log2.copy()
    frame.insert(0, "Description", "a gene")
    body = frame.to_csv(sep="\t", index_label="Name" if version == "1.2" else "id")
    sizes = [len(frame), c.log2.shape[1]]
    header, _, rows = body.partition("\n")
    above = ""
    if version == "1.3":
        sizes += [1, len(columns.columns)]
        above = "".join(
            "\t".join([name, "na", *map(str, columns[name])]) + "\n" for name in columns
        )
    lines = f"#{version}\n" + "\t".join(map(str, sizes)) + f"\n{header}\n{above}{rows}"
    c.path("a.gct").write_text(lines)
    return c.path("a.gct")


@variant("GCT 1.2")
def _(c):
    return gct(c, "1.2")


@variant("GCT 1.3 with metadata of rows and columns")
def _(c):
    count = c.log2.shape[1]
    return gct(c, "1.3", pd.DataFrame({"age": range(20, 20 + count), "lineage": ["B-ALL"] * count}))


@variant("GTEx: Ensembl ids, symbols beside them")
def _(c):
    frame = c.log2.copy()
    frame.insert(0, "Description", frame.index)
    frame.index = ensembl_ids(c.log2.index) + ".7"
    frame.index = [i.removesuffix(".7") if not i.startswith("ENSG") else i for i in frame.index]
    body = frame.to_csv(sep="\t", index_label="Name")
    c.path("a.gct").write_text(f"#1.2\n{len(frame)}\t{c.log2.shape[1]}\n{body}")
    return c.path("a.gct")


@variant("cBioPortal: Hugo symbol and Entrez id")
def _(c):
    frame = c.log2.copy()
    frame.insert(0, "Entrez_Gene_Id", np.arange(len(frame)) * 7 + 1)
    return text(frame, c.path("a.txt"), "\t", index_label="Hugo_Symbol")


@variant("GEO series matrix with probe sets", refused="Affymetrix probe sets .*annotation")
def _(c):
    frame = c.log2.set_axis([f"{1000 + i}_s_at" for i in range(len(c.log2))], axis=0)
    body = frame.to_csv(sep="\t", index_label="ID_REF", quoting=csv.QUOTE_NONNUMERIC)
    c.path("GSE1_series_matrix.txt").write_text(
        f'!Series_title\t"leukaemia"\n!Sample_title\t"a"\t"b"\n\n!series_matrix_table_begin\n{body}'
        "!series_matrix_table_end\n"
    )
    return c.path("GSE1_series_matrix.txt")


@variant("GEO series matrix with symbols")
def _(c):
    body = c.log2.to_csv(sep="\t", index_label="ID_REF", quoting=csv.QUOTE_NONNUMERIC)
    c.path("GSE1_series_matrix.txt").write_text(
        f'!Series_title\t"leukaemia"\n!Sample_title\t"a"\t"b"\n\n!series_matrix_table_begin\n{body}'
        "!series_matrix_table_end\n"
    )
    return c.path("GSE1_series_matrix.txt")


@variant("probe sets with a column of symbols beside them")
def _(c):
    frame = c.log2.reset_index(names="Gene Symbol")
    frame.index = pd.Index([f"{1000 + i}_s_at" for i in range(len(frame))])
    return text(frame, c.path("a.txt"), "\t", index_label="ID")


@variant("Illumina probes", refused="Illumina probes .*annotation of the chip")
def _(c):
    index = [f"ILMN_{1700000 + i}" for i in range(len(c.log2))]
    return text(c.log2.set_axis(index, axis=0), c.path("a.csv"))


@variant("probe sets as numbers", refused="by numbers .*Map probe sets to genes")
def _(c):
    index = [7890000 + 3 * i for i in range(len(c.log2))]
    return text(c.log2.set_axis(index, axis=0), c.path("a.csv"))


# --- identifiers -----------------------------------------------------------------------------


@variant("Ensembl ids")
def _(c):
    return text(c.log2.set_axis(ensembl_ids(c.log2.index), axis=0), c.path("a.csv"))


@variant("Ensembl ids with versions")
def _(c):
    ids = [f"{i}.{n % 17 + 1}" if i.startswith("ENSG") else i
           for n, i in enumerate(ensembl_ids(c.log2.index))]  # fmt: skip
    return text(c.log2.set_axis(ids, axis=0), c.path("a.csv"))


@variant("Ensembl ids and symbols joined by a bar")
def _(c):
    ids = [f"{i}|{s}" for i, s in zip(ensembl_ids(c.log2.index), c.log2.index, strict=True)]
    ids = [s.split("|")[1] if not s.startswith("ENSG") else s for s in ids]
    return text(c.log2.set_axis(ids, axis=0), c.path("a.csv"))


@variant("BrainArray ids")
def _(c):
    ids = [f"{i}_at" if i.startswith("ENSG") else i for i in ensembl_ids(c.log2.index)]
    return text(c.log2.set_axis(ids, axis=0), c.path("a.csv"))


@variant("TCGA: SYMBOL|entrez")
def _(c):
    return text(c.log2.set_axis([f"{s}|{n}" for n, s in enumerate(c.log2.index)], axis=0),
                c.path("a.txt"), "\t")  # fmt: skip


@variant("DepMap: SYMBOL (entrez), samples in rows")
def _(c):
    frame = c.log2.T
    frame.columns = [f"{s} ({n + 1})" for n, s in enumerate(frame.columns)]
    return text(frame, c.path("a.csv"))


@variant("symbols in lower case")
def _(c):
    return text(c.log2.rename(index=str.lower), c.path("a.csv"))


@variant("symbols all in capitals")
def _(c):
    return text(c.log2.rename(index=str.upper), c.path("a.csv"))


@variant("blanks around symbols")
def _(c):
    return text(c.log2.rename(index=lambda s: f" {s} "), c.path("a.csv"))


@variant("old symbols")
def _(c):
    table = read_shipped_table("gene_names.tsv.gz")
    aliases = table[(table["kind"] == "alias") & ~table["name"].duplicated(keep=False)]
    aliases = aliases[aliases["name"].str.fullmatch(r"[A-Z][A-Z0-9]{3,}")]
    old = aliases.drop_duplicates("symbol").set_index("symbol")["name"]
    names = [old.get(s, s) if n % 3 == 0 else s for n, s in enumerate(c.log2.index)]
    return text(c.log2.set_axis(names, axis=0), c.path("a.csv"))


@variant("genome in front of the symbols")
def _(c):
    return text(c.log2.rename(index=lambda s: f"GRCh38_{s}"), c.path("a.csv"))


@variant("mouse symbols", refused="mouse gene symbols .*human orthologues")
def _(c):
    return text(c.log2.rename(index=str.capitalize), c.path("a.csv"))


@variant("mouse Ensembl ids", refused="mouse genes .*human orthologues")
def _(c):
    index = [f"ENSMUSG{i:011d}" for i in range(len(c.log2))]
    return text(c.log2.set_axis(index, axis=0), c.path("a.csv"))


@variant("Entrez ids")
def _(c):
    return text(c.log2.set_axis(entrez_ids(c.log2.index), axis=0), c.path("a.csv"))


@variant("Entrez ids, samples in rows")
def _(c):
    return text(c.log2.set_axis(entrez_ids(c.log2.index), axis=0).T, c.path("a.csv"))


@variant("Entrez ids as names of an R data frame: X in front")
def _(c):
    frame = c.log2.set_axis([f"X{i}" for i in entrez_ids(c.log2.index)], axis=0)
    return text(frame.T, c.path("a.csv"), quoting=csv.QUOTE_NONNUMERIC)


@variant("Entrez ids that became decimals", orientation="genes-by-samples")
def _(c):
    index = entrez_ids(c.log2.index).astype(float)
    return text(c.log2.set_axis(index, axis=0), c.path("a.tsv"), "\t", index_label="GeneID")


@variant("Entrez ids behind row numbers")
def _(c):
    frame = c.log2.set_axis(entrez_ids(c.log2.index), axis=0).reset_index(names="ENTREZID")
    frame.index = pd.Index(range(1, len(frame) + 1))
    return text(frame, c.path("a.csv"))


@variant("Entrez ids in an xlsx")
def _(c):
    c.log2.set_axis(entrez_ids(c.log2.index), axis=0).to_excel(c.path("a.xlsx"))
    return c.path("a.xlsx")


@variant("Entrez ids with their prefix")
def _(c):
    index = [f"GeneID:{i}" for i in entrez_ids(c.log2.index)]
    return text(c.log2.set_axis(index, axis=0), c.path("a.csv"))


@variant("Entrez ids, patients named by numbers too", numbered=True)
def _(c):
    frame = c.log2.set_axis(entrez_ids(c.log2.index), axis=0)
    return text(frame.set_axis(np.arange(frame.shape[1]) * 7 + 1001, axis=1), c.path("a.csv"))


@variant("Entrez ids twice with other values", refused="1 gene more than once .*--duplicates")
def _(c):
    index = entrez_ids(c.log2.index).to_numpy()
    index[1] = index[0]
    return text(c.log2.set_axis(index, axis=0), c.path("a.csv"))


@variant("a DataFrame with Entrez ids of whole numbers")
def _(c):
    return c.log2.set_axis(entrez_ids(c.log2.index), axis=0)


@variant("a DataFrame with Entrez ids as columns")
def _(c):
    return c.log2.set_axis(entrez_ids(c.log2.index), axis=0).T


@variant("AnnData with Entrez ids")
def _(c):
    adata = adata_of(c.log2)
    adata.var_names = entrez_ids(c.log2.index).astype(str)
    return adata


@variant("h5ad with Entrez ids in a column beside probe sets")
def _(c):
    adata = adata_of(c.log2)
    adata.var["entrez_id"] = entrez_ids(c.log2.index).to_numpy()
    adata.var_names = [f"{1000 + n}_s_at" for n in range(adata.n_vars)]
    adata.write_h5ad(c.path("a.h5ad"))
    return c.path("a.h5ad")


@variant("row numbers in place of genes", refused="by numbers .*row numbers name no gene|Could not")
def _(c):
    return text(c.log2.reset_index(drop=True), c.path("a.csv"))


@variant("row numbers of chosen rows in place of genes", refused="by numbers .*row numbers name no")
def _(c):
    kept = np.sort(np.random.default_rng(0).choice(20_000, len(c.log2), replace=False))
    return text(c.log2.set_axis(kept, axis=0), c.path("a.csv"))


@variant("a DataFrame with row numbers in place of genes", refused="Could not tell genes")
def _(c):
    return c.log2.reset_index(drop=True)


@variant("transcripts", refused="transcripts .*Add them up for each gene")
def _(c):
    index = [f"ENST{i:011d}.2" for i in range(len(c.log2))]
    return text(c.log2.set_axis(index, axis=0), c.path("a.csv"))


@variant("methylation probes", refused="methylation probes")
def _(c):
    index = [f"cg{i:08d}" for i in range(len(c.log2))]
    return text(c.log2.set_axis(index, axis=0), c.path("a.csv"))


@variant("names of nothing known", refused="Could not tell genes from samples")
def _(c):
    return text(c.log2.set_axis([f"feature{i}" for i in range(len(c.log2))], axis=0),
                c.path("a.csv"))  # fmt: skip


# --- duplicates and empty places -------------------------------------------------------------


def doubled(c: Cohort, shift: float = 1.0) -> pd.DataFrame:
    twice = c.log2.iloc[:5] + shift
    return pd.concat([c.log2, twice])


@variant("genes twice with other values", refused="5 genes more than once .*--duplicates")
def _(c):
    return text(doubled(c), c.path("a.csv"))


@variant("genes twice, the first is wanted", duplicates="first")
def _(c):
    return text(doubled(c), c.path("a.csv"))


@variant("genes twice, the highest is wanted", duplicates="max")
def _(c):
    return text(doubled(c, -1.0), c.path("a.csv"))


@variant("genes twice with equal values")
def _(c):
    return text(doubled(c, 0.0), c.path("a.csv"))


@variant("names that are no gene twice")
def _(c):
    more = c.log2.iloc[:4].set_axis(["Y_RNA", "Y_RNA", "5S_rRNA", "5S_rRNA"], axis=0)
    return text(pd.concat([c.log2, more]), c.path("a.csv"))


@variant("rows without a name")
def _(c):
    more = c.log2.iloc[:4].set_axis(["", "", "---", "---"], axis=0)
    return text(pd.concat([c.log2, more]), c.path("a.csv"))


@variant("a gene and a sample without values")
def _(c):
    frame = c.log2.assign(failed=np.nan)
    nothing = ",".join(["NOTHING1", *[""] * frame.shape[1]])
    c.path("a.csv").write_text(f"{frame.to_csv()}{nothing}\n")
    return c.path("a.csv")


@variant("trailing separators, empty columns")
def _(c):
    lines = [f"{line},," for line in c.log2.to_csv().splitlines()]
    c.path("a.csv").write_text("\n".join(lines) + "\n")
    return c.path("a.csv")


@variant("samples twice", refused="duplicate sample name")
def _(c):
    frame = pd.concat([c.log2, c.log2.iloc[:, :1]], axis=1)
    return text(frame, c.path("a.csv"))


@variant("text among numbers", refused="text among the numbers in 1 cell")
def _(c):
    frame = c.log2.astype(object)
    frame.iloc[50, 2] = "n.d."
    return text(frame, c.path("a.csv"))


@variant("infinite values", refused="infinite values .*pseudocount")
def _(c):
    frame = c.log2.copy()
    frame.iloc[7, 1] = -np.inf
    return text(frame, c.path("a.csv"))


@variant("no names of samples", refused="has no header|Could not tell|names no sample")
def _(c):
    return text(c.log2, c.path("a.csv"), header=False)


@variant("samples × genes without names of samples", numbered=True)
def _(c):
    return text(c.log2.T, c.path("a.csv"), index=False)


# --- annotation among the numbers ------------------------------------------------------------


@variant("lengths and positions before the samples", "counts")
def _(c):
    rng = np.random.default_rng(0)
    frame = c.counts.copy()
    size = len(frame)
    frame.insert(0, "width", rng.integers(200, 10_000, size))
    frame.insert(0, "end", rng.integers(10_000, 9_000_000, size))
    frame.insert(0, "start", rng.integers(10_000, 9_000_000, size))
    frame.insert(0, "chr", "chr7")
    return text(frame, c.path("a.csv"))


@variant("an unknown number beside the samples, by its scale", "counts")
def _(c):
    rng = np.random.default_rng(0)
    frame = c.counts.copy()
    frame["locus"] = rng.integers(10_000_000, 90_000_000, len(frame))
    return text(frame, c.path("a.csv"))


@variant("Entrez ids as a column among the samples")
def _(c):
    frame = c.log2.copy()
    frame.insert(3, "ENTREZID", np.arange(len(frame)) * 3 + 1)
    return text(frame, c.path("a.csv"))


@variant("age, white blood count and sex beside the genes")
def _(c):
    frame = c.log2.T.copy()
    frame.insert(0, "age", np.arange(20, 20 + len(frame)))
    frame.insert(1, "sex", "f")
    frame.insert(2, "WBC", 12.5 + np.arange(len(frame)) * 10)
    return text(frame, c.path("a.csv"))


@variant("clinical rows below the header")
def _(c):
    head = pd.DataFrame(
        [["B-ALL", "T-ALL"] * (c.log2.shape[1] // 2), ["f", "m"] * (c.log2.shape[1] // 2)],
        index=["diagnosis", "sex"],
        columns=c.log2.columns,
    )
    return text(pd.concat([head, c.log2.astype(object)]), c.path("a.csv"))


@variant("two header rows: groups above the names of the samples")
def _(c):
    groups = ["", "B-ALL", *[""] * (c.log2.shape[1] - 1)]
    content = ",".join(groups) + "\n" + c.log2.to_csv()
    c.path("a.csv").write_text(content)
    return c.path("a.csv")


@variant("title lines and comments above the header")
def _(c):
    c.path("a.csv").write_text("# made by us\nOur cohort\n\n" + c.log2.to_csv())
    return c.path("a.csv")


@variant("results of DESeq2 before normalised counts", "counts")
def _(c):
    rng = np.random.default_rng(0)
    frame = c.counts.copy()
    for name in ("padj", "pvalue", "stat", "lfcSE", "log2FoldChange", "baseMean"):
        frame.insert(0, name, rng.normal(0, 1, len(frame)).round(4))
    return text(frame, c.path("a.csv"))


@variant("results of DESeq2 alone", refused="results of a test for differential expression")
def _(c):
    rng = np.random.default_rng(0)
    names = ["baseMean", "log2FoldChange", "lfcSE", "stat", "pvalue", "padj"]
    frame = pd.DataFrame(rng.normal(0, 1, (len(c.log2), 6)), c.log2.index, names)
    return text(frame, c.path("a.csv"))


@variant("the table of a CRISPR screen", refused="table of a CRISPR screen .*--screens")
def _(c):
    frame = pd.DataFrame({"sgRNA": 4, "NK|beta": 0.1, "NK|z": 1.2}, index=c.log2.index)
    return text(frame, c.path("a.gene_summary.txt"), "\t", index_label="Gene")


@variant("long form", refused="long form .*Pivot it")
def _(c):
    frame = c.log2.reset_index(names="gene").melt("gene", var_name="patient", value_name="value")
    return text(frame, c.path("a.csv"), index=False)


# --- programs that count ---------------------------------------------------------------------


@variant("featureCounts", "counts")
def _(c):
    rng = np.random.default_rng(0)
    frame = c.counts.copy()
    size = len(frame)
    frame.insert(0, "Length", rng.integers(200, 9000, size))
    frame.insert(0, "Strand", "+;+")
    frame.insert(0, "End", rng.integers(9000, 99000, size))
    frame.insert(0, "Start", [f"{i};{i + 90}" for i in range(size)])
    frame.insert(0, "Chr", "chr1;chr1")
    body = frame.to_csv(sep="\t", index_label="Geneid")
    c.path("counts.txt").write_text(f'# Program:featureCounts v2.0.1; Command:"-a x"\n{body}')
    return c.path("counts.txt")


@variant("a merged table of STAR with its sums", "counts")
def _(c):
    sums = pd.DataFrame(
        1_234_567,
        index=["N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous"],
        columns=c.counts.columns,
    )
    return text(pd.concat([sums, c.counts]), c.path("a.tsv"), "\t")


@variant("a merged table of HTSeq with its sums", "counts")
def _(c):
    sums = pd.DataFrame(1_234_567, index=["__no_feature", "__ambiguous"], columns=c.counts.columns)
    return text(pd.concat([c.counts, sums]), c.path("a.tsv"), "\t")


def first(c: Cohort) -> pd.Series:
    return c.counts.iloc[:, 0]


@variant("STAR ReadsPerGene", "first counts")
def _(c):
    one = first(c)
    rows = [f"{n}\t9\t9\t9" for n in ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous")]
    rows += [f"{g}\t{v}\t{v // 3}\t{v // 2}" for g, v in one.items()]
    path = c.path(f"{one.name}.ReadsPerGene.out.tab")
    path.write_text("\n".join(rows) + "\n")
    return path


@variant("HTSeq counts of one sample", "first counts")
def _(c):
    one = first(c)
    path = c.path(f"{one.name}.htseq.counts")
    path.write_text("".join(f"{g}\t{v}\n" for g, v in one.items()) + "__no_feature\t99\n")
    return path


@variant("GDC STAR counts with TPM", "first counts")
def _(c):
    one = first(c)
    frame = pd.DataFrame({"gene_id": ensembl_ids(one.index), "gene_name": one.index})
    frame["gene_type"] = "protein_coding"
    frame["unstranded"] = one.to_numpy() // 2
    frame["stranded_first"] = frame["stranded_second"] = 1
    frame["tpm_unstranded"] = one.to_numpy() / one.sum() * 1e6
    frame["fpkm_unstranded"] = frame["fpkm_uq_unstranded"] = 0.5
    sums = pd.DataFrame({"gene_id": ["N_unmapped", "N_ambiguous"], "unstranded": [5, 5]})
    body = pd.concat([sums, frame])[frame.columns].to_csv(sep="\t", index=False)
    path = c.path(f"{one.name}.rna_seq.augmented_star_gene_counts.tsv")
    path.write_text(f"# gene-model: GENCODE v36\n{body}")
    return path


@variant("RSEM gene results", "first counts")
def _(c):
    one = first(c)
    frame = pd.DataFrame({"gene_id": one.index, "transcript_id(s)": "t1,t2", "length": 900.0})
    frame["effective_length"] = 750.0
    frame["expected_count"] = one.to_numpy()[::-1]
    frame["TPM"] = one.to_numpy() / one.sum() * 1e6
    frame["FPKM"] = 3.0
    return text(frame, c.path(f"{one.name}.genes.results"), "\t", index=False)


@variant("Salmon genes", "first counts")
def _(c):
    one = first(c)
    frame = pd.DataFrame({"Name": one.index, "Length": 900, "EffectiveLength": 750.0})
    frame["TPM"] = one.to_numpy() / one.sum() * 1e6
    frame["NumReads"] = one.to_numpy()[::-1]
    return text(frame, c.path(f"{one.name}.quant.genes.sf"), "\t", index=False)


@variant("kallisto transcripts", refused="transcripts .*Add them up for each gene")
def _(c):
    frame = pd.DataFrame({"target_id": [f"ENST{i:011d}.1" for i in range(len(c.log2))]})
    frame = frame.assign(length=900, eff_length=700.0, est_counts=3.0, tpm=1.5)
    return text(frame, c.path("abundance.tsv"), "\t", index=False)


@variant("TCGA RSEM with a second header row", "counts")
def _(c):
    frame = c.counts.set_axis([f"{s}|{n}" for n, s in enumerate(c.counts.index)], axis=0)
    kinds = pd.DataFrame([["normalized_count"] * frame.shape[1]], ["gene_id"], frame.columns)
    body = pd.concat([kinds, frame.astype(object)])
    return text(body, c.path("a.txt"), "\t", index_label="Hybridization REF")


@variant("TCGA RSEM with three columns a sample", "counts")
def _(c):
    header, kinds, columns = ["Hybridization REF"], ["gene_id"], []
    for sample in c.counts:
        header += [sample] * 3
        kinds += ["raw_count", "scaled_estimate", "transcript_id"]
        columns += [c.counts[sample], c.counts[sample] / 1e7, pd.Series("uc1", c.counts.index)]
    body = pd.concat(columns, axis=1)
    out = io.StringIO()
    body.to_csv(out, sep="\t", header=False)
    c.path("a.txt").write_text("\t".join(header) + "\n" + "\t".join(kinds) + "\n" + out.getvalue())
    return c.path("a.txt")


# --- AnnData and relatives -------------------------------------------------------------------


def adata_of(frame: pd.DataFrame) -> anndata.AnnData:
    return anndata.AnnData(frame.T.astype("float32"))


def scaled(c: Cohort) -> anndata.AnnData:
    adata = adata_of(c.log2)
    adata.X = (adata.X - adata.X.mean(axis=0)) / (adata.X.std(axis=0) + 1e-6)
    return adata


@variant("h5ad")
def _(c):
    adata_of(c.log2).write_h5ad(c.path("a.h5ad"))
    return c.path("a.h5ad")


@variant("h5ad, genes in rows")
def _(c):
    anndata.AnnData(c.log2.astype("float32")).write_h5ad(c.path("a.h5ad"))
    return c.path("a.h5ad")


@variant("zarr")
def _(c):
    adata_of(c.log2).write_zarr(c.path("a.zarr"))
    return c.path("a.zarr")


@variant("AnnData in memory with versioned Ensembl ids")
def _(c):
    ids = [f"{i}.3" if i.startswith("ENSG") else i for i in ensembl_ids(c.log2.index)]
    return adata_of(c.log2.set_axis(ids, axis=0))


@variant("AnnData in memory, sparse")
def _(c):
    adata = adata_of(c.log2)
    adata.X = sparse.csr_matrix(adata.X)
    return adata


@variant("AnnData backed by its file")
def _(c):
    ids = [f"{i}.3" if i.startswith("ENSG") else i for i in ensembl_ids(c.log2.index)]
    adata_of(c.log2.set_axis(ids, axis=0)).write_h5ad(c.path("a.h5ad"))
    return anndata.read_h5ad(c.path("a.h5ad"), backed="r")


@variant("AnnData with names of genes in a column")
def _(c):
    adata = adata_of(c.log2)
    adata.var["gene_symbols"] = adata.var_names
    adata.var_names = [str(i) for i in range(adata.n_vars)]
    return adata


@variant("AnnData with the column of names given", var_column="label")
def _(c):
    adata = adata_of(c.log2)
    adata.var["label"] = adata.var_names
    adata.var["other"] = adata.var_names[::-1]
    adata.var_names = [str(i) for i in range(adata.n_vars)]
    return adata


@variant("AnnData scaled, raw beside it")
def _(c):
    adata = scaled(c)
    adata.raw = adata_of(c.log2)
    return adata


@variant("h5ad scaled, counts in a layer", "counts")
def _(c):
    adata = scaled(c)
    adata.layers["counts"] = c.counts.T.to_numpy(dtype="float32")
    adata.write_h5ad(c.path("a.h5ad"))
    return c.path("a.h5ad")


@variant("AnnData with the layer given", layer="mine")
def _(c):
    adata = adata_of(c.log2 * 0 + 1)
    adata.layers["mine"] = c.log2.T.to_numpy(dtype="float32")
    return adata


@variant("AnnData scaled, nothing beside it", refused="centred or scaled gene by gene .*--layer")
def _(c):
    return scaled(c)


@variant("AnnData with few variable genes", refused="hold too little of the model .*--layer raw")
def _(c):
    return adata_of(c.log2)[:, :300].copy()


@variant("DataFrame")
def _(c):
    return c.log2.T


@variant("DataFrame, genes in rows, old names")
def _(c):
    return c.log2.rename(index={"NCR3LG1": "B7H6", "MARCHF7": "MARCH7", "TENT5A": "FAM46A"})


@variant("DataFrame with a column of text and its rows numbered")
def _(c):
    frame = c.log2.T.reset_index(names="patient")
    return frame.assign(lineage="B-ALL")


@variant("Parquet with a column of genes")
def _(c):
    c.log2.reset_index(names="gene").to_parquet(c.path("a.parquet"))
    return c.path("a.parquet")


@variant("Feather")
def _(c):
    c.log2.reset_index(names="gene").to_feather(c.path("a.feather"))
    return c.path("a.feather")


@variant("loom")
def _(c):
    with h5py.File(c.path("a.loom"), "w") as file:
        file["matrix"] = c.log2.to_numpy(dtype="float32")
        file["row_attrs/Gene"] = c.log2.index.to_numpy(dtype="S")
        file["col_attrs/CellID"] = c.log2.columns.to_numpy(dtype="S")
        file.create_group("layers")
    return c.path("a.loom")


def tenx_folder(c: Cohort, packed: bool) -> Path:
    folder = c.path("filtered_feature_bc_matrix")
    folder.mkdir()
    end, opener = (".gz", gzip.open) if packed else ("", open)
    with opener(folder / f"matrix.mtx{end}", "wb") as stream:
        mmwrite(stream, sparse.coo_matrix(c.counts.to_numpy()))
    with opener(folder / f"{'features' if packed else 'genes'}.tsv{end}", "wt") as stream:
        for gene_id, symbol in zip(ensembl_ids(c.counts.index), c.counts.index, strict=True):
            kind = "\tGene Expression" if packed else ""
            stream.write(f"{gene_id}\t{symbol}{kind}\n")
    with opener(folder / f"barcodes.tsv{end}", "wt") as stream:
        stream.write("\n".join(c.counts.columns) + "\n")
    return folder


@variant("10x folder, Cell Ranger 3", "counts")
def _(c):
    return tenx_folder(c, True)


@variant("10x folder, Cell Ranger 2", "counts")
def _(c):
    return tenx_folder(c, False)


@variant("10x folder without barcodes", refused="no barcodes.tsv.gz or barcodes.tsv")
def _(c):
    folder = tenx_folder(c, True)
    (folder / "barcodes.tsv.gz").unlink()
    return folder


@variant("10x HDF5 with antibodies", "counts")
def _(c):
    genes = [*ensembl_ids(c.counts.index), "CD19_ADT"]
    matrix = sparse.csc_matrix(np.vstack([c.counts.to_numpy(), np.full(c.counts.shape[1], 9)]))
    with h5py.File(c.path("a.h5"), "w") as file:
        group = file.create_group("matrix")
        group["data"], group["indices"] = matrix.data, matrix.indices
        group["indptr"], group["shape"] = matrix.indptr, np.array(matrix.shape)
        group["barcodes"] = c.counts.columns.to_numpy(dtype="S")
        features = group.create_group("features")
        features["id"] = np.array(genes, dtype="S")
        features["name"] = np.array([*c.counts.index, "CD19"], dtype="S")
        kinds = ["Gene Expression"] * len(c.counts) + ["Antibody Capture"]
        features["feature_type"] = np.array(kinds, dtype="S")
    return c.path("a.h5")


# --- units and kinds of values ---------------------------------------------------------------


@variant("values standardised within each sample")
def _(c):
    return text((c.log2 - c.log2.mean()) / c.log2.std(), c.path("a.csv"))


@variant("genes standardised across samples", refused="centred or scaled gene by gene")
def _(c):
    frame = c.log2.T
    return text(((frame - frame.mean()) / frame.std()).T, c.path("a.csv"))


@variant("genes centred across samples", refused="centred or scaled gene by gene")
def _(c):
    return text(c.log2.sub(c.log2.median(axis=1), axis=0), c.path("a.csv"))


@variant("genes from 0 to 1 across samples", refused="centred or scaled gene by gene")
def _(c):
    low, high = c.log2.min(axis=1), c.log2.max(axis=1)
    frame = c.log2[high > low].sub(low[high > low], axis=0).div((high - low)[high > low], axis=0)
    return text(frame, c.path("a.csv"))


@variant("ratios to one sample", refused="centred or scaled gene by gene")
def _(c):
    return text(c.log2.sub(c.log2.iloc[:, 0], axis=0).iloc[:, 1:], c.path("a.csv"))


@variant("names of genes that slipped", refused="under the names of other genes")
def _(c):
    names = np.random.default_rng(0).permutation(c.log2.index)
    return text(c.log2.set_axis(names, axis=0), c.path("a.csv"))


@variant("values turned upside down", refused="under the names of other genes")
def _(c):
    return text(1 / (c.log2 + 1), c.path("a.csv"))


@variant("ranks of samples within each gene", refused="under the names of other genes")
def _(c):
    return text(c.log2.rank(axis=1), c.path("a.csv"))


@variant("ranks of genes within each sample")
def _(c):
    return text(c.log2.rank(), c.path("a.csv"))


@variant("a blank sample beside the others")
def _(c):
    return text(c.log2.assign(blank=0.0), c.path("a.csv"))


@variant("samples of one value", refused="8 samples with one value for every gene")
def _(c):
    return text(c.log2 * 0 + 3.5, c.path("a.csv"))


@variant("log2 of TPM with a small offset", "counts")
def _(c):
    tpm = c.counts / c.counts.sum() * 1e6
    return text(np.log2(tpm + 0.001), c.path("a.csv"))


@variant("TPM", "counts")
def _(c):
    return text(c.counts / c.counts.sum() * 1e6, c.path("a.csv"))


@variant("negative counts", "counts", "counts cannot be negative")
def _(c):
    frame = c.counts.copy()
    frame.iloc[3, 2] = -4
    return text(frame, c.path("a.csv"))


@variant("ten genes", refused="hold too little of the model")
def _(c):
    return text(c.log2.iloc[:10], c.path("a.csv"))


@variant("ten genes of strong evidence", refused="hold too little of the model")
def _(c):
    genes = ["HLA-E", "B2M", "ICAM1", "CD58", "JAK1", "STAT1", "TAP1", "FAS", "HLA-A", "SPPL3"]
    return text(c.log2.loc[c.log2.index.intersection(genes)], c.path("a.csv"))


@variant(
    "sample annotation in place of expression",
    refused="Could not tell genes from samples",
)
def _(c):
    frame = pd.DataFrame({"age": range(c.log2.shape[1]), "sex": "f"}, index=c.log2.columns)
    return text(frame, c.path("a.csv"))


@variant("a PDF", refused="is a PDF document")
def _(c):
    c.path("a.pdf").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"1 0 obj\n" * 50)
    return c.path("a.pdf")


# --- few samples, numbers for names, odd neighbours ------------------------------------------


@variant("one sample", "first counts")
def _(c):
    return text(first(c).to_frame(), c.path("a.csv"))


@variant("one sample with lengths beside it", "first counts")
def _(c):
    frame = first(c).to_frame()
    frame.insert(0, "Length", np.random.default_rng(0).integers(200, 9000, len(frame)))
    return text(frame, c.path("a.csv"))


@variant("one sample scaled", refused="centred or scaled gene by gene")
def _(c):
    one = c.log2.sub(c.log2.mean(axis=1), axis=0).iloc[:, [1]]
    return text(one, c.path("a.csv"))


@variant("patients named by numbers, samples in rows", numbered=True)
def _(c):
    frame = c.log2.T
    frame.index = pd.Index([1001 + 7 * n for n in range(len(frame))], name="patient")
    return text(frame, c.path("a.csv"))


@variant("patients named by numbers with leading zeros", numbered=True)
def _(c):
    return text(c.log2.set_axis([f"00{n}" for n in range(c.log2.shape[1])], axis=1),
                c.path("a.csv"), index_label="gene")  # fmt: skip


@variant("ages and blast counts as rows among the genes")
def _(c):
    count = c.log2.shape[1]
    rows = pd.DataFrame(
        [np.arange(20, 20 + count), np.arange(count) * 11], ["age", "blasts"], c.log2.columns
    )
    return text(pd.concat([rows, c.log2]), c.path("a.csv"))


@variant("a column of means behind the samples")
def _(c):
    return text(c.log2.assign(mean=c.log2.mean(axis=1), sd=c.log2.std(axis=1)), c.path("a.csv"))


@variant("log2 counts per million of voom", "counts")
def _(c):
    voom = np.log2((c.counts + 0.5) / (c.counts.sum() + 1) * 1e6)
    return text(voom, c.path("a.csv"))


@variant("Parquet, samples in rows with a column of names and one of text")
def _(c):
    frame = c.log2.T.reset_index(names="sample")
    frame.insert(1, "lineage", "B-ALL")
    frame.to_parquet(c.path("a.parquet"))
    return c.path("a.parquet")


@variant("Ensembl ids of one gene that differ in their version", "counts")
def _(c):
    half = c.counts // 2
    ids = ensembl_ids(c.counts.index)
    named = ids.str.startswith("ENSG")
    one = half.set_axis([f"{i}.1" if n else i for i, n in zip(ids, named, strict=True)], axis=0)
    rest = (c.counts - half)[named].set_axis(ids[named] + ".2", axis=0)
    one[~named] = c.counts[~named].to_numpy()
    return text(pd.concat([one, rest]), c.path("a.csv"))


@variant("missing values written in several ways")
def _(c):
    frame = c.log2.copy()
    frame.loc["UNKNOWN1"] = 5.0
    cells = frame.astype(object)
    cells.loc["UNKNOWN1"] = ["NA", "NaN", "", "N/A", "null", "#N/A", 5.0, 5.0]
    return text(cells, c.path("a.csv"))


@variant("h5ad with counts in X and genes chosen, all genes in raw", "counts", layer="raw")
def _(c):
    whole = adata_of(c.counts)
    few = whole[:, :400].copy()
    few.raw = whole
    few.write_h5ad(c.path("a.h5ad"))
    return c.path("a.h5ad")


@variant(
    "a layer that is not there", refused="has no layer 'nothing'; it has mine", layer="nothing"
)
def _(c):
    adata = adata_of(c.log2)
    adata.layers["mine"] = adata.X
    return adata


@variant("a folder of nothing", refused="is a folder; expected a file")
def _(c):
    c.path("empty").mkdir()
    return c.path("empty")


@variant("an h5 file of something else", refused="HDF5 file with something")
def _(c):
    with h5py.File(c.path("a.h5"), "w") as file:
        file["something"] = [1, 2, 3]
    return c.path("a.h5")


@variant("damaged 10x matrix", refused="not a readable Matrix Market file")
def _(c):
    folder = tenx_folder(c, True)
    content = (folder / "matrix.mtx.gz").read_bytes()
    (folder / "matrix.mtx.gz").write_bytes(content[: len(content) // 2])
    return folder
