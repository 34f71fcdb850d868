"""Reports: HTML pages, figures and tables for the terminal."""

from virtuallab.reporting.figures.accuracy import summary_figure
from virtuallab.reporting.page.designs import comparison_page, power_page
from virtuallab.reporting.page.experiment import experiment_page
from virtuallab.reporting.tables.designs import power_summary, ranking_table
from virtuallab.reporting.tables.identification import identification_summary
from virtuallab.reporting.tables.verdict import verdict_table

__all__ = [
    "comparison_page",
    "experiment_page",
    "identification_summary",
    "power_page",
    "power_summary",
    "ranking_table",
    "summary_figure",
    "verdict_table",
]
