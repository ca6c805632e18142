"""Pictures of screens, scores and evaluations; users reach them as `nkpredict.pl`."""

from nkpredict.figures._cells import plot_umap, plot_violin
from nkpredict.figures._comparison import plot_cohorts, plot_gene_differences
from nkpredict.figures._data import (
    ALL_SAMPLES,
    Group,
    Scored,
    Waterfall,
    covariate_groups,
    covariates,
    gene_map,
    groups,
    is_knowledge_only,
    lineages,
    optional,
    ranked,
    reference_word,
    score_word,
    waterfall,
    waterfalls,
)
from nkpredict.figures._dots import plot_dots
from nkpredict.figures._genes import colour_limit, plot_genes, plot_targets
from nkpredict.figures._performance import write_performance_figure, write_prediction_figure
from nkpredict.figures._scores import plot_lineage, plot_ranking, plot_waterfall, scatter_places
from nkpredict.figures._screens import plot_agreement, plot_volcano
from nkpredict.figures._style import (
    WORDS,
    check_figure_file,
    finished,
    printable,
    save_figure,
)
from nkpredict.figures._survival import plot_survival
from nkpredict.figures._synapse import SYNAPSE_COLUMNS, plot_synapse

__all__ = [
    "ALL_SAMPLES",
    "SYNAPSE_COLUMNS",
    "WORDS",
    "Group",
    "Scored",
    "Waterfall",
    "check_figure_file",
    "colour_limit",
    "covariate_groups",
    "covariates",
    "finished",
    "gene_map",
    "groups",
    "is_knowledge_only",
    "lineages",
    "optional",
    "plot_agreement",
    "plot_cohorts",
    "plot_dots",
    "plot_gene_differences",
    "plot_genes",
    "plot_lineage",
    "plot_ranking",
    "plot_survival",
    "plot_synapse",
    "plot_targets",
    "plot_umap",
    "plot_violin",
    "plot_volcano",
    "plot_waterfall",
    "printable",
    "ranked",
    "reference_word",
    "save_figure",
    "scatter_places",
    "score_word",
    "waterfall",
    "waterfalls",
    "write_performance_figure",
    "write_prediction_figure",
]
