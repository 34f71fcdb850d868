"""The page and the ranking of a comparison, and the answer of a search."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from tests.protocol.texts import SMALL
from virtuallab.decoder.controls import OF_DESIGNS
from virtuallab.decoder.power_result import AccuracyCurve, DesignResult, PowerResult, Requirement
from virtuallab.lab.designs import designs_of, observables_of, tabulated
from virtuallab.lab.tried import Answer
from virtuallab.protocol import read_text
from virtuallab.report import comparison_page, power_page, power_summary, ranking_table
from virtuallab.report.figures.designs.best_designs import (
    best_plate,
    curve_plates,
    heat_plates,
    label,
)
from virtuallab.report.results.comparison import best_sentence, controls_sentence, ranking
from virtuallab.report.results.power import Asked, sentences
from virtuallab.report.style import pretty
from virtuallab.vocabulary import CONTROL

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


@pytest.fixture(scope="module")
def found() -> xr.Dataset:
    how = read_text(SMALL + DESIGNS).compare
    stream = np.random.default_rng(1)
    subjects = xr.Dataset(
        coords={
            "subject": [f"sub-{n}" for n in range(200)],
            "rule": ("subject", np.repeat(["a", "b", "c", "d"], 50)),
        }
    )
    designs, came = designs_of(how), []
    for each in designs:
        more = 0.1 * np.log10(each.point.settings.get("units", 10))
        for _ in range(how.seeds):
            keys = [(o, c) for o in observables_of(how, each.point) for c in how.classifiers]
            right = {key: stream.random(200) < ACCURACY[each.name] + more - 0.2 for key in keys}
            controls = {
                (name, *key): stream.random(200) < 0.25 for key in keys for name in OF_DESIGNS
            }
            came.append(Answer(right, controls))
    table = tabulated(how, designs, came, subjects, SIZES)
    return table.assign_attrs(title="mine <b>", question="Which?")


def test_the_ranking_is_by_accuracy_and_marks_who_cannot_be_told_from_the_best(found):
    rows = ranking(found)
    assert [row.value for row in rows] == sorted((row.value for row in rows), reverse=True)
    assert rows[0].design.startswith("sparse")
    assert rows[0].is_tied
    assert not rows[-1].is_tied
    assert rows[-1].behind == pytest.approx(rows[0].value - rows[-1].value)
    assert len(rows) == (6 * 2 + 2 + 2 + 1) * 2


def test_the_best_of_many_has_an_interval_that_is_corrected_for_their_number(found):
    first, *rest = ranking(found)
    words = best_sentence(found)
    low, high = map(float, re.search(r"interval (0\.\d+) to (0\.\d+)\)", words).groups())
    assert words.startswith(f"The best of {len(rest) + 1} had luck on its side")
    assert first.design in words
    assert low < first.low - 0.02
    assert high > first.high
    assert words in " ".join(comparison_page(found).split())
    one = found.isel(design=[0], observable=[0], classifier=[0])
    assert best_sentence(one) == ""


def test_the_best_of_each_name_is_drawn_with_its_corrected_interval(found):
    grid = found.isel(design=found["design_name"].values == "grid", classifier=0)
    best = int(grid["balanced_accuracy"].max("observable").argmax("design"))
    ends = [
        path.vertices[:, 0]
        for lines in best_plate(found).panels[0].figure.axes[0].collections
        for path in lines.get_paths()
    ]
    value = float(grid["balanced_accuracy"][best].max())
    plain = grid["interval"][best, int(grid["balanced_accuracy"][best].values.argmax())].values
    drawn = min(ends, key=lambda span: abs(span.mean() - value))
    assert drawn[0] < plain[0] - 0.01
    assert drawn[1] > plain[1]


def test_the_ranking_fits_a_terminal(found):
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(ranking_table(found))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "14 more are in the files" in text
    assert "visit 0 alone 0.2" in text


def test_controls_are_told_by_their_mean(found):
    words = controls_sentence(found)
    value = float(re.search(r"permuted labels ([\d.]+)", words)[1])
    assert value == pytest.approx(0.25, abs=0.02)
    assert controls_sentence(found.drop_vars("control_accuracy")) == ""


def test_controls_that_no_design_allows_are_left_out(found):
    controls = found["control_accuracy"]
    some = found.assign(control_accuracy=controls.where(controls[CONTROL] != controls[CONTROL][0]))
    names = [pretty(str(name)) for name in controls[CONTROL].values]
    assert [name in controls_sentence(some) for name in names] == [False] + [True] * len(names[1:])
    assert controls_sentence(found.assign(control_accuracy=controls.where(False))) == ""


def test_the_page_is_whole_and_says_the_same(found):
    page = comparison_page(found)
    assert "mine &lt;b&gt;" in page
    assert "<script" not in page
    assert page.count("<svg role") == page.count("aria-label") - page.count("<table")
    for row in ranking(found)[:5]:
        assert f"{row.value:.2f}" in page


def test_names_that_vary_in_the_same_setting_share_a_panel(found):
    captions = [plate.caption for plate in curve_plates(found)]
    shared = [plate for plate in curve_plates(found) if "early" in plate.panels[0].alt]
    assert shared, captions
    assert all("sparse" in plate.panels[0].alt for plate in shared)
    assert "0.5" not in shared[0].caption.split("visits")[0]


def test_every_numeric_setting_has_its_curves_and_two_a_map(found):
    along = [plate.caption for plate in curve_plates(found)]
    for setting in ("units", "noise.snr", "visits"):
        assert any(label(setting) in caption for caption in along), setting
    maps = heat_plates(found)
    assert len(maps) == 2, "one for each classifier"
    assert len(maps[0].panels) == 2, "one for each observable"


def test_visits_of_any_form_are_counted(found):
    counts = found["visits"].values[found["design_name"].values == "early"]
    assert counts.tolist() == [2, 4]


def answer(**changed: Any) -> PowerResult:
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


ASKED = Asked("mine", "How much?", "activity", "random_forest", 160, 2)


def test_the_answer_is_plain_words():
    first, second, units, sigma = sentences(answer())
    assert first == (
        "Take 30 recorded units, signal-to-noise ratio 0.5: the cheapest design that reaches a "
        "balanced accuracy of 0.45 with 90 % confidence, at a cost of 30."
    )
    assert second == "Tried anew it reached 0.47 (0.40 to 0.53)."
    assert "at least 25 (90 % interval 20 to beyond the bounds)" in units
    assert "at most 0.2 (90 % interval 0.1 to 0.4)" in sigma


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"possible": True}, "may be reached, but no design tried reaches it with 90 %"),
        ({"possible": False}, "not reached by any design within these bounds, as far as"),
        (
            {"possible": False, "expected_dearest": (0.3, 0.35, 0.4)},
            "cannot be reached within these bounds",
        ),
    ],
)
def test_what_is_not_reached_is_said(changed, words):
    found = answer(chosen=None, confirmed=None, **changed)
    assert words in sentences(found)[0]
    page = power_page(found, ASKED)
    assert "not_identified" in page
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(power_summary(found, ASKED))
    assert words[:20] in console.export_text()


def test_the_page_of_an_answer_is_whole():
    page = power_page(answer(), ASKED)
    assert "Take 30 recorded units" in page
    assert page.count("<svg role") == 2
    assert "implanted 2 times" in page
