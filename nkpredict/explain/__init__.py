"""From prediction to biology: what the parts of a prediction say about genes."""

from nkpredict.explain._attribution import Explanation, explain, shap_explanation
from nkpredict.explain._by_gene import by_gene
from nkpredict.explain._coregulation import cluster_genes, cluster_overlap
from nkpredict.explain._drivers import driver_scores
from nkpredict.explain._folder import write_explanation
from nkpredict.explain._interaction import interactions
from nkpredict.explain._knockout import VirtualPerturbation, knockout
from nkpredict.explain._patient import Patient, explain_patient
from nkpredict.explain._resistance import resistance_genes
from nkpredict.explain._resistance_table import resistance_table
from nkpredict.explain._sample_genes import LEAST_COMPANY, genes_by_sample, lowest_in_rows
from nkpredict.explain._scores import ExplainedScores, explain_scores
from nkpredict.explain._screen_comparison import compare_with_screens, knockout_against_screens
from nkpredict.explain._stability import Stability, stability

__all__ = [
    "LEAST_COMPANY",
    "ExplainedScores",
    "Explanation",
    "Patient",
    "Stability",
    "VirtualPerturbation",
    "by_gene",
    "cluster_genes",
    "cluster_overlap",
    "compare_with_screens",
    "driver_scores",
    "explain",
    "explain_patient",
    "explain_scores",
    "genes_by_sample",
    "interactions",
    "knockout",
    "knockout_against_screens",
    "lowest_in_rows",
    "resistance_genes",
    "resistance_table",
    "shap_explanation",
    "stability",
    "write_explanation",
]
