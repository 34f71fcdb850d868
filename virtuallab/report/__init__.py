"""What an experiment found, said for people: one page, one table for the terminal, one picture."""

from virtuallab.report.html import build
from virtuallab.report.results import Estimate, Result, results
from virtuallab.report.terminal import verdict_table
from virtuallab.report.verdict_plates import summary_figure

__all__ = ["Estimate", "Result", "build", "results", "summary_figure", "verdict_table"]
