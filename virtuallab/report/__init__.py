"""What an experiment found, said for people: one page, one table for the terminal, one picture."""

from virtuallab.report.comparison import comparison_page, ranking_table
from virtuallab.report.estimate import Estimate
from virtuallab.report.html import build
from virtuallab.report.identified import identified_summary
from virtuallab.report.power import power_page, power_summary
from virtuallab.report.results import Result, results
from virtuallab.report.terminal import verdict_table
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
