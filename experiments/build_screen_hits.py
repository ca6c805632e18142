"""Build data/reference/screen_hits.csv: what published NK-cell screens say about single genes.

Three studies, one row per gene and study. Genes of figure 4 and of the gene modules were named
before looking at the measurements and enter with whatever was measured, also where that is
nothing; other genes enter only where they stand out from the whole genome. (IFNGR2 is in a module
because of Zhuang 2019; it stands out there by itself.)

- Dufva 2023: the genes and categories of figure 4. Membership only, so the direction is unknown.
- Zhuang 2019 (K562, primary NK cells, two replicates): a gene has a direction when both replicates
  have the same sign and the combined p is below ``NOMINAL_P`` (genes named before) or the
  genome-wide false discovery rate below ``FDR`` (all others). A plain limit on p would list
  chance: 97 of 18,818 genes lie below 0.005, where 94 are expected.
- Pech 2019 (K562, NK-92): genes named before, and DCAF15. The contrast is against an early time
  point, so that essential genes drop: enrichment among the ``TOP_SHARE`` highest of all genes
  gives a direction, a drop does not, save for DCAF15, which the paper itself established against
  dropout controls.

Example
-------
python experiments/build_screen_hits.py --data ../my-data
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, norm

from nkpredict.evidence import HIT_COLUMNS, check_hits, gene_modules, read_screens
from nkpredict.io import write_csv

TARGET = Path(__file__).parents[1] / "data" / "reference" / "screen_hits.csv"
NOMINAL_P = 0.05
FDR = 0.25
TOP_SHARE = 0.05

ZHUANG = "zhuang2019_K562_primaryNK"
PECH = "Pech_K562_NK_92_r1"
# What the files do not say; only the screens with NK cells are used.
METADATA = {
    ZHUANG: {"cell_line": "K562", "effector": "primary NK"},
    PECH: {"cell_line": "K562", "effector": "NK-92"},
    "Freeman_B16F10_NK": {"species": "mouse"},
}

# Figure 4 of Dufva 2023, with TMEM131L under its approved symbol (KIAA0922 in the figure).
CATEGORIES = {
    "antigen presentation": "HLA-E HLA-A HLA-C B2M TAP1 TAP2 TAPBP NLRC5 RFXAP RFXANK",
    "interferon gamma": "JAK1 STAT1",
    "activating-receptor ligand": "NCR3LG1 CD58 ULBP1 ULBP2 ULBP3 CD48 TNFSF9 PVR MICA",
    "death receptor / apoptosis": (
        "TNFRSF1B TNFRSF10A TNFRSF10B TNFRSF10D FAS FADD BID BAX PMAIP1 CASP8 CFLAR TRAF2 RNF31 "
        "XIAP BIRC3"
    ),
    "adhesion": "ICAM1 SPN SELPLG CD44",
    "fucosylation": "GMDS FUT8 SLC35C1",
    "mucin": "MUC1 MUC21",
    "transcription / chromatin": (
        "ARID1A GFI1B TAL1 YTHDF2 RUNX1 CHD7 CMIP PCGF5 RBBP4 FOXA1 IRF4 MYB MSI2 STAG2 KLF16"
    ),
    "other": "PTEN NFKBIA GNA13 ZC3HAV1 GSK3B SPPL3 TMEM131L ARHGAP1 MAPK14 HMGB1",
}
CATEGORY = {gene: name for name, genes in CATEGORIES.items() for gene in genes.split()}
NAMED_BY_PECH = "DCAF15"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with the screens in screens/"
    )
    folder = parser.parse_args().data / "screens"
    screens = read_screens(
        folder / f"{ZHUANG}.mle.gene_summary.txt",
        folder / "immune_screens_lfc.tsv.gz",
        metadata=METADATA,
    ).table
    by_screen = {str(name): rows.set_index("gene") for name, rows in screens.groupby("screen")}
    expected = set(CATEGORY) | {g for module in gene_modules().values() for g in module.genes}

    parts = [
        figure_4(),
        zhuang(by_screen[f"{ZHUANG}_Rep1"], by_screen[f"{ZHUANG}_Rep2"], expected),
        pech(by_screen[PECH]["lfc"], expected),
    ]
    table = pd.concat(parts, ignore_index=True)
    table["category"] = table["gene"].map(CATEGORY).fillna("uncategorised")
    table = table[list(HIT_COLUMNS)].sort_values(["study", "gene"], ignore_index=True)
    check_hits(table)
    write_csv(TARGET, table.set_index("gene"))
    print(table.groupby(["study", "direction"]).size().to_string())


def figure_4() -> pd.DataFrame:
    """List the genes of the published categories, without direction."""
    return pd.DataFrame({"gene": list(CATEGORY)}).assign(
        perturbation="unknown",
        effector="primary NK or KHYG-1",
        target_line="blood-cancer lines",
        direction="unknown",
        effect_size=np.nan,
        effect_unit="",
        significance=np.nan,
        significance_kind="",
        study="Dufva 2023",
        doi="10.1016/j.immuni.2023.11.008",
        note="listed in figure 4; direction and line are in the study's deposit",
    )


def zhuang(first: pd.DataFrame, second: pd.DataFrame, expected: set[str]) -> pd.DataFrame:
    """Take genes named before, and others that stand out genome-wide in both replicates."""
    genes = first.index.intersection(second.index)
    replicates = [first.loc[genes], second.loc[genes]]
    z = sum(calibrated_z(rows) for rows in replicates) / np.sqrt(2)
    table = pd.DataFrame(
        {
            "effect_size": sum(rows["lfc"] for rows in replicates) / 2,
            "significance": 2 * norm.sf(z.abs()),
        }
    )
    fdr = pd.Series(false_discovery_control(table["significance"]), index=genes)
    signs = [np.sign(series) for series in (z, *(rows["lfc"] for rows in replicates))]
    agree = (signs[0] == signs[1]) & (signs[0] == signs[2])
    named = pd.Series(genes.isin(expected), index=genes)
    clear = agree & np.where(named, table["significance"] < NOMINAL_P, fdr < FDR)
    table["direction"] = direction(table["effect_size"]).where(clear, "unknown")
    table["note"] = fdr.map("genome-wide FDR {:.2g}".format) + np.select(
        [clear, agree], ["", "; no clear effect"], "; replicates disagree in sign"
    )
    return (
        table[named | clear]
        .reset_index(names="gene")
        .assign(
            perturbation="loss",
            effector="primary NK",
            target_line="K562",
            effect_unit="MAGeCK MLE beta, mean of 2 replicates",
            significance_kind="two-sided p, calibrated Wald z of 2 replicates combined",
            study="Zhuang 2019",
            doi="10.3389/fimmu.2019.02879",
        )
    )


def calibrated_z(rows: pd.DataFrame) -> pd.Series:
    """Scale Wald z so that the bulk of the genes, which do nothing, has mean 0 and spread 1."""
    z = pd.Series(norm.isf(rows["p"] / 2) * np.sign(rows["lfc"]), index=rows.index)
    deviation = z - z.median()
    return deviation / (deviation.abs().median() / norm.isf(0.25))


def pech(lfc: pd.Series, expected: set[str]) -> pd.DataFrame:
    """Take genes named before and DCAF15; a drop gives no direction."""
    from_top, from_bottom = (
        lfc.rank(ascending=ascending, method="max") / len(lfc) for ascending in (False, True)
    )
    table = pd.DataFrame({"effect_size": lfc, "significance": from_top.where(lfc > 0, from_bottom)})
    table = table[table.index.isin(expected | {NAMED_BY_PECH})].reset_index(names="gene")
    published = table["gene"] == NAMED_BY_PECH
    enriched = table["effect_size"] > 0
    clear = published | (enriched & (table["significance"] <= TOP_SHARE))
    table["direction"] = direction(table["effect_size"]).where(clear, "unknown")
    table["note"] = "contrast against an early time point; " + np.select(
        [published, clear, enriched],
        ["published: its loss sensitizes the cells", "one replicate", "no clear effect"],
        "a drop may be loss of fitness",
    )
    return table.assign(
        perturbation="loss",
        effector="NK-92",
        target_line="K562",
        effect_unit="log2 fold change",
        significance_kind="share of all genes at least as extreme on that side",
        study="Pech 2019",
        doi="10.7554/eLife.47362",
    )


def direction(effect: pd.Series) -> pd.Series:
    """Read the effect of a loss: enriched cells survive without the gene, so it sensitizes."""
    return pd.Series(np.where(effect > 0, "sensitizes", "protects"), index=effect.index)


if __name__ == "__main__":
    main()
