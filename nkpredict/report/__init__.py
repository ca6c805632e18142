"""The report of a scored cohort: one self-contained HTML file, tables and figures."""

from nkpredict.report._card import write_patient_card
from nkpredict.report._genes_text import gene_sentences
from nkpredict.report._html import write_report
from nkpredict.report._results import write_cells, write_results

__all__ = [
    "gene_sentences",
    "write_cells",
    "write_patient_card",
    "write_report",
    "write_results",
]
