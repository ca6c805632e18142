"""From prediction to biology: what the parts of a prediction say about genes."""

from nkpredict.explain.attribution import Explanation, explain, shap_explanation
from nkpredict.explain.coregulation import cluster_genes, cluster_overlap
from nkpredict.explain.drivers import driver_scores
from nkpredict.explain.interaction import interactions
from nkpredict.explain.knockout import VirtualPerturbation, knockout
from nkpredict.explain.resistance import resistance_genes
from nkpredict.explain.resistance_table import resistance_table
from nkpredict.explain.screen_comparison import compare_with_screens, knockout_against_screens
from nkpredict.explain.stability import Stability, stability
from nkpredict.explain.targets import druggable_targets, rank_drugs, rank_drugs_by_sample

__all__ = [
    "Explanation",
    "Stability",
    "VirtualPerturbation",
    "cluster_genes",
    "cluster_overlap",
    "compare_with_screens",
    "driver_scores",
    "druggable_targets",
    "explain",
    "interactions",
    "knockout",
    "knockout_against_screens",
    "rank_drugs",
    "rank_drugs_by_sample",
    "resistance_genes",
    "resistance_table",
    "shap_explanation",
    "stability",
]
