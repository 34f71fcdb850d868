"""Pages of recording designs: a comparison, and the answer of a power analysis."""

from __future__ import annotations

import xarray as xr

from virtuallab.decoder.power_result import PowerResult
from virtuallab.reporting.figures.designs.best_designs import best_designs_figure
from virtuallab.reporting.figures.designs.cost_front import cost_front_figure
from virtuallab.reporting.figures.designs.expected_accuracy import expected_accuracy_figure
from virtuallab.reporting.figures.designs.setting_curves import setting_curves
from virtuallab.reporting.figures.designs.setting_maps import setting_maps
from virtuallab.reporting.page.template import render
from virtuallab.reporting.results.comparison import best_sentence, controls_sentence, ranking
from virtuallab.reporting.results.power import PowerQuestion, sentences
from virtuallab.reporting.style import setting_name
from virtuallab.text import percent, short


def comparison_page(found: xr.Dataset) -> str:
    """The page of a comparison of designs, as a self-contained HTML document.

    Parameters
    ----------
    found : xr.Dataset
        As :func:`virtuallab.lab.designs.compare.compare` returns it.
    """
    return render(
        "comparison.html.jinja",
        title=str(found.attrs["title"]),
        question=str(found.attrs["question"]),
        rows=ranking(found),
        confidence=percent(float(found.attrs["confidence"])),
        controls=controls_sentence(found),
        best_sentence=best_sentence(found),
        chance=float(found.attrs["chance"]),
        best=best_designs_figure(found),
        curves=setting_curves(found),
        maps=setting_maps(found),
    )


def power_page(found: PowerResult, asked: PowerQuestion) -> str:
    """The page of a power analysis, as a self-contained HTML document.

    Parameters
    ----------
    found : PowerResult
    asked : PowerQuestion
    """
    return render(
        "power.html.jinja",
        title=asked.title,
        question=asked.question,
        sentences=sentences(found),
        basis=asked.basis,
        front=cost_front_figure(found),
        along=expected_accuracy_figure(found, asked),
        found=found,
        paths=list(found.dearest.values),
        setting_name=setting_name,
        short=short,
    )
