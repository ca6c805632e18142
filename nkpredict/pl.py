"""Plots: `nkpredict.pl.ranking(scores)`, `nkpredict.pl.umap(adata)` and the others."""

from nkpredict.figures import plot_agreement as agreement
from nkpredict.figures import plot_cohorts as cohorts
from nkpredict.figures import plot_dots as dots
from nkpredict.figures import plot_gene_differences as gene_differences
from nkpredict.figures import plot_genes as genes
from nkpredict.figures import plot_lineage as lineage
from nkpredict.figures import plot_ranking as ranking
from nkpredict.figures import plot_survival as survival
from nkpredict.figures import plot_synapse as synapse
from nkpredict.figures import plot_targets as targets
from nkpredict.figures import plot_umap as umap
from nkpredict.figures import plot_violin as violin
from nkpredict.figures import plot_volcano as volcano
from nkpredict.figures import plot_waterfall as waterfall

__all__ = [
    "agreement",
    "cohorts",
    "dots",
    "gene_differences",
    "genes",
    "lineage",
    "ranking",
    "survival",
    "synapse",
    "targets",
    "umap",
    "violin",
    "volcano",
    "waterfall",
]
