"""Pages of recording designs: comparison and power analysis."""

from __future__ import annotations

import xarray as xr

from virtuallab.decoder.equivalence import EQUIVALENCE_MARGIN
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
    """Report of a comparison of designs.

    Parameters
    ----------
    found : xr.Dataset
        Result of :func:`virtuallab.compare`.

    Returns
    -------
    str
        A self-contained HTML document.
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
        margin=f"{EQUIVALENCE_MARGIN:g}",
        best=best_designs_figure(found),
        curves=setting_curves(found),
        maps=setting_maps(found),
    )


def power_page(found: PowerResult, asked: PowerQuestion) -> str:
    """Report of a power analysis.

    Parameters
    ----------
    found : PowerResult
    asked : PowerQuestion

    Returns
    -------
    str
        A self-contained HTML document.
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
