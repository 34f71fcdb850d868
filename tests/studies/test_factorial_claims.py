"""Verdicts on claims, from predictions with planted accuracies."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from studies.factorial import claims
from studies.factorial.accuracies import Accuracy
from studies.factorial.claims import CLAIMS, Evidence, claims_rows
from studies.factorial.controls import CONTROLLED, NAMES
from studies.factorial.importance import largest_confusion, late_minus_early, over_folds
from studies.factorial.layers import (
    BY_LAYER,
    BY_SUBJECT,
    CENTRES,
    REST,
    VARIANTS,
    LayerResult,
    names_of,
)
from studies.factorial.predictions import complete_tasks, tasks
from studies.factorial.subjects import OBSERVABLES, Recorded
from studies.factorial.verdicts import Part, above, equal, not_below, together
from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.features.samples import PUBLISHED

RULES = ("adam", "feedback", "information", "sgdm")
KINDS, EACH = 10, 240  # 24 subjects of a kind and rule, in eight pairs


@pytest.mark.parametrize(
    ("part", "verdict"),
    [
        (above("a", Accuracy(0.5, 0.4, 0.6), 0.25), "holds"),
        (above("a", Accuracy(0.3, 0.2, 0.4), 0.25), "undecided"),
        (above("a", Accuracy(0.1, 0.0, 0.2), 0.25), "does not hold"),
        (not_below("a", Accuracy(-0.01, -0.04, 0.02)), "holds"),
        (not_below("a", Accuracy(-0.03, -0.04, -0.02)), "does not hold"),
        (not_below("a", Accuracy(0.0, -0.1, 0.1)), "undecided"),
        (equal("a", Accuracy(0.0, -0.04, 0.04)), "holds"),
        (equal("a", Accuracy(0.0, -0.06, 0.04)), "undecided"),
        (equal("a", Accuracy(0.1, 0.06, 0.14)), "does not hold"),
    ],
)
def test_verdicts_follow_from_intervals(part: Part, verdict: str) -> None:
    assert part.verdict == verdict


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["holds", "holds"], "holds"),
        (["holds", "undecided"], "undecided"),
        (["does not hold", "undecided"], "does not hold"),
    ],
)
def test_a_claim_holds_if_all_its_parts_hold(verdicts: list[str], expected: str) -> None:
    assert together(Part("", verdict) for verdict in verdicts) == expected  # type: ignore[arg-type]


def test_folds_that_agree_have_a_narrow_interval() -> None:
    assert over_folds([0.2, 0.2, 0.2, 0.2]) == Accuracy(0.2, pytest.approx(0.2), pytest.approx(0.2))
    wide = over_folds([0.0, 0.1, 0.3, 0.4])
    assert wide.low < 0 < wide.high  # wider than that of four independent values


def recorded() -> Recorded:
    """Subjects of four rules and ten kinds, whose features are not read."""
    number = np.arange(len(RULES) * EACH)
    place = number % EACH
    kind = place % KINDS
    names = np.array(PUBLISHED, dtype=object)
    observable = [
        {"w": "weights", "a": "activity", "g": "activity_change"}[name[0]] for name in PUBLISHED
    ]
    features = xr.Dataset(
        coords={
            "subject": [f"sub-{index:04d}" for index in number],
            "rule": ("subject", np.array(RULES, dtype=object)[number // EACH]),
            "architecture": ("subject", [f"network{each}" for each in kind]),
            "task": ("subject", ["digits"] * len(number)),
            "pair": ("subject", kind * 8 + place // KINDS % 8),
            "visit": np.arange(7),
            "statistic": names,
            "statistic_observable": ("statistic", observable),
        }
    )
    return Recorded(features, features.coords.to_dataset(), {})


def predicted(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Predictions of which a share is right; Adam and SGDM are taken for one another."""
    stream = np.random.default_rng(seed)
    other = {"adam": "sgdm", "sgdm": "adam", "feedback": "adam", "information": "sgdm"}
    wrong = np.array([other[label] for label in labels.tolist()])
    both = np.isin(labels, ("adam", "sgdm"))
    right = stream.random(len(labels)) < np.where(both, share, (1 + share) / 2)
    return np.where(right, labels, wrong)


STRICT = {"activity": 0.7, "weights": 0.8, "activity_change": 0.5, "all": 0.9}
LOST = {"architecture": 0.3, "task": 0.3, "batch_size": 0.0, "data_seed": 0.0}


def evidence(folder: Path) -> Evidence:
    """Evidence with planted accuracies, on disk as the study keeps it."""
    mine = recorded()
    for asked, where in ((complete_tasks(), folder / "complete"), (tasks(), folder / "sampled")):
        where.mkdir(parents=True)
        for task in asked:
            share = STRICT[task.observable] - LOST.get(task.split, 0.0)
            found = predicted(mine.labels, share, seed=0)
            (where / task.file_name).write_text(json.dumps(found.tolist()))
    for observable in CONTROLLED:
        for name in NAMES:
            kind = "survive" if name == "performance_matched" else "chance"
            value = 0.7 if kind == "survive" else 0.25
            result = ControlResult(name, kind, value, value - 0.05, value + 0.05, True, 9)  # type: ignore[arg-type]
            file = folder / "sampled" / f"control.{observable}.{name}.json"
            file.write_text(json.dumps(asdict(result)))
    layers = {
        (observable, variant): forests(mine, observable, variant)
        for observable in OBSERVABLES
        for variant in VARIANTS
    }
    return Evidence(
        mine, mine, folder / "complete", folder / "sampled", layers, designs(mine), workers=1
    )


def forests(mine: Recorded, observable: str, variant: str) -> LayerResult:
    """Forests that read medians and norms, activity's late, and layers of known subjects better."""
    count, visits = len(mine.labels), mine.features.sizes["visit"]
    names = names_of(mine, observable)
    central = np.array([1.0 if n.endswith(("_median", "_norm")) else 0.1 for n in names])
    late = np.linspace(0.5, 1.5, visits) if observable == "activity" else np.ones(visits)
    each = np.concatenate([np.full(3, 1e-4), np.outer(central, late).ravel()])
    correct = np.full(count, 0.9 if variant == BY_LAYER else 0.6)
    permuted = {CENTRES: np.full(count, 0.3), REST: np.full(count, 0.55)}
    return LayerResult(correct, permuted, np.tile(each / each.sum(), (4, 1)))


def designs(mine: Recorded) -> xr.Dataset:
    """Designs of which spread visits, many units and activity are more accurate."""
    rows: list[tuple[str, dict[str, float], dict[str, float]]] = []
    for count in (3, 5):
        for name in ("sparse", "early", "middle", "late"):
            share = 0.9 if name == "sparse" else 0.5
            rows.append((name, {"visits": count}, {"activity": share, "weights": share}))
    rows += [("activity", {"units": units}, {"activity": 0.9}) for units in (100, 300)]
    for snr in (0.1, 1.0, 10.0):
        rows.append(("activity_noisy", {"noise.snr": snr, "units": 300}, {"activity": 0.9}))
        rows.append(("weights_noisy", {"noise.snr": snr, "synapses": 300}, {"weights": 0.5}))
    for sigma in (0.01, 0.1, 1.0):
        rows.append(("activity_sigma", {"noise.sigma": sigma}, {"activity": 0.9}))
        rows.append(("weights_sigma", {"noise.sigma": sigma}, {"weights": 0.5}))
    settings = ("visits", "units", "synapses", "noise.snr", "noise.sigma")
    observables = ("activity", "weights")
    right = np.full((len(rows), 2, 1, len(mine.labels)), np.nan)
    for place, (_, _, shares) in enumerate(rows):
        for observable, share in shares.items():
            found = predicted(mine.labels, share, 1) == mine.labels
            right[place, observables.index(observable), 0] = found
    return xr.Dataset(
        {"identified": (("design", "observable", "classifier", "subject"), right)},
        coords={
            "design": [f"{name} {number}" for number, (name, _, _) in enumerate(rows)],
            "design_name": ("design", [name for name, _, _ in rows]),
            "observable": list(observables),
            "classifier": ["kernel_svm"],
            **{s: ("design", [row[1].get(s, np.nan) for row in rows]) for s in settings},
            **{name: mine.features[name] for name in ("subject", "rule", "pair")},
        },
        attrs={"seeds": 1},
    )


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return {row[0]: row for row in claims_rows(evidence(tmp_path_factory.mktemp("evidence")))}


def test_every_claim_has_a_verdict_with_figures(rows: dict[str, list[str]]) -> None:
    names = [*(f"Q{n}" for n in range(1, 14) if n != 6), "Q6 A", "Q6 B"]
    assert set(rows) == {*names, *(f"C{n}" for n in range(1, 6))}
    assert len(rows) == len(CLAIMS)
    for _, _, comparisons, verdict in rows.values():
        assert verdict in ("holds", "does not hold", "undecided")
        assert any(character.isdigit() for character in comparisons)
        assert "nan" not in comparisons


@pytest.mark.parametrize(
    "name", ["Q1", "Q3", "Q4", "Q5", "Q6 A", "Q6 B", "Q7", "Q8", "Q9", "Q11", "Q13", "C1", "C4"]
)
def test_planted_claims_hold(rows: dict[str, list[str]], name: str) -> None:
    assert rows[name][-1] == "holds", rows[name]


def test_claims_on_designs_need_their_comparison(tmp_path: Path) -> None:
    without = [row[0] for row in claims_rows(replace(evidence(tmp_path), designs=None))]
    assert set(without).isdisjoint({"Q9", "Q10", "Q11", "Q12"})
    assert len(without) == len(CLAIMS) - 4


def test_layers_of_one_subject_in_training_and_test_are_found_out(
    rows: dict[str, list[str]],
) -> None:
    assert rows["C3"][-1] == "does not hold"
    assert "+0.30" in rows["C3"][2]


def test_the_same_claims_fail_where_the_opposite_is_planted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapped = {**STRICT, "weights": STRICT["activity"], "activity": STRICT["weights"]}
    monkeypatch.setattr("tests.studies.test_factorial_claims.STRICT", swapped)
    monkeypatch.setattr("tests.studies.test_factorial_claims.LOST", {**LOST, "batch_size": 0.3})
    chosen = tuple(claim for claim in CLAIMS if claim.name in ("Q3", "Q6 A"))
    monkeypatch.setattr(claims, "CLAIMS", chosen)
    assert [row[-1] for row in claims_rows(evidence(tmp_path))] == ["does not hold"] * 2


def test_the_largest_confusion_is_found_and_compared() -> None:
    mine = recorded()
    found = predicted(mine.labels, 0.5, 3)
    pair, apart = largest_confusion(mine, [found], ("adam", "sgdm"))
    assert pair in (("adam", "feedback"), ("information", "sgdm"))
    assert apart.low > 0.05
    _, other = largest_confusion(mine, [found], ("feedback", "information"))
    assert other.high < -0.2  # these two are never confused


def test_importance_late_in_training_is_found() -> None:
    mine = recorded()
    found = forests(mine, "activity", BY_SUBJECT)
    late = late_minus_early(mine, "activity", "actraw_median", found)
    assert late.value == pytest.approx((1.417 + 1.25 - 0.667 - 0.833) / 6.333, abs=0.06)


def test_a_control_that_was_not_evaluated_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "CLAIMS", [each for each in CLAIMS if each.name == "C4"])
    of = evidence(tmp_path)
    for observable in CONTROLLED:
        file = of.sampled_folder / f"control.{observable}.performance_matched.json"
        found = json.loads(file.read_text("utf-8"))
        file.write_text(json.dumps({**found, "accuracy": float("nan"), "passed": False}))
    [row] = claims_rows(of)
    assert row[-1] == "undecided"
    assert "nan" not in row[2]
    assert row[2].count("not evaluated") == len(CONTROLLED)
