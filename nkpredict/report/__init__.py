"""The report of a scored cohort: one self-contained HTML file, tables and figures."""

from nkpredict.report.html import write_report
from nkpredict.report.results import write_results

__all__ = ["write_report", "write_results"]
