"""What an experiment found, said for people: one page, one table for the terminal, one picture."""

from virtuallab.report.page.experiment import build
from virtuallab.report.results.analyses import Result, results
from virtuallab.report.results.comparison import comparison_page, ranking_table
from virtuallab.report.results.estimate import Estimate
from virtuallab.report.results.power import power_page, power_summary
from virtuallab.report.tables.identification import identified_summary
from virtuallab.report.tables.verdict import verdict_table
from virtuallab.report.verdict_plates import summary_figure

__all__ = [
    "Estimate",
    "Result",
    "build",
    "comparison_page",
    "identified_summary",
    "power_page",
    "power_summary",
    "ranking_table",
    "results",
    "summary_figure",
    "verdict_table",
]
