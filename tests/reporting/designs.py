"""A comparison of designs and an answer of a power analysis, made up."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from tests.protocol.texts import SMALL
from virtuallab.decoder.controls import OF_DESIGNS
from virtuallab.decoder.power_result import AccuracyCurve, DesignResult, PowerResult, Requirement
from virtuallab.lab.designs.comparison_table import comparison_table, named_designs, observables_of
from virtuallab.lab.designs.decode_designs import DecodedDesign
from virtuallab.protocol import read_text
from virtuallab.reporting.results.power import PowerQuestion

DESIGNS = """\
compare:
  designs:
    grid: {units: [5, 50, 500], noise: {snr: [0.5, 2.0]}, observables: [activity, weights]}
    early: {units: 10, observables: [activity], visits: {grid: [{count: 2}, {count: 4}]}}
    sparse: {units: 10, observables: [activity], visits: {grid: [2, 4]}}
    alone: {device: tetrode}
  classifiers: [random_forest, linear_svm]
  seeds: 2
"""
SIZES = (({"a": 400, "b": 300}, {"a": 50, "b": 50}, 5, 10),)
ACCURACY = {"grid": 0.6, "early": 0.5, "sparse": 0.9, "alone": 0.3}


def comparison_of_designs() -> xr.Dataset:
    """A comparison of 17 designs with made-up results."""
    how = read_text(SMALL + DESIGNS).compare
    stream = np.random.default_rng(1)
    subjects = xr.Dataset(
        coords={
            "subject": [f"sub-{n}" for n in range(200)],
            "rule": ("subject", np.repeat(["a", "b", "c", "d"], 50)),
        }
    )
    designs, came = named_designs(how), []
    for each in designs:
        more = 0.1 * np.log10(each.point.settings.get("units", 10))
        for _ in range(how.seeds):
            keys = [(o, c) for o in observables_of(how, each.point, 4) for c in how.classifiers]
            right = {key: stream.random(200) < ACCURACY[each.name] + more - 0.2 for key in keys}
            controls = {
                (name, *key): stream.random(200) < 0.25 for key in keys for name in OF_DESIGNS
            }
            came.append(DecodedDesign(right, controls))
    table = comparison_table(how, designs, came, subjects, SIZES)
    return table.assign_attrs(title="mine <b>", question="Which?")


def answer(**changed: Any) -> PowerResult:
    """The answer of a power analysis, with some fields changed."""
    tried = tuple(
        DesignResult(
            {"units": n, "noise.snr": 0.5}, float(n), 0.3 + 0.1 * k, 0.2 + 0.1 * k, 0.4 + 0.1 * k
        )
        for k, n in enumerate((10, 20, 40))
    )
    x = np.linspace(10, 40, 30)
    along = AccuracyCurve("units", x, x / 50, x / 50 - 0.1, x / 50 + 0.1)
    settings: dict[str, Any] = {
        "target": 0.45,
        "confidence": 0.9,
        "tried": tried,
        "chosen": {"units": 30, "noise.snr": 0.5},
        "confirmed": DesignResult({"units": 30, "noise.snr": 0.5}, 30.0, 0.47, 0.4, 0.53),
        "possible": True,
        "dearest": tried[-1],
        "expected_dearest": (0.4, 0.5, 0.6),
        "chance": 0.25,
        "least": (
            Requirement("units", True, 25.0, 20.0, np.inf),
            Requirement("noise.sigma", False, 0.2, 0.1, 0.4),
        ),
        "along": (along,),
    }
    return PowerResult(**{**settings, **changed})


ASKED = PowerQuestion("mine", "How much?", "activity", "random_forest", 160, 2)
