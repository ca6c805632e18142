"""The report of a scored cohort: one self-contained HTML file, and its figures for papers."""

from nkpredict.report.figures import plot_ranking, plot_waterfall
from nkpredict.report.html import write_report

__all__ = ["plot_ranking", "plot_waterfall", "write_report"]
