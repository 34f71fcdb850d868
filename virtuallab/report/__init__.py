"""What an experiment found, for people: pages, figures, and tables for the terminal."""

from virtuallab.report.figures.accuracy import summary_figure
from virtuallab.report.page.designs import comparison_page, power_page
from virtuallab.report.page.experiment import experiment_page
from virtuallab.report.tables.designs import power_summary, ranking_table
from virtuallab.report.tables.identification import identification_summary
from virtuallab.report.tables.verdict import verdict_table

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
