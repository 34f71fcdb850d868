"""The published scheme in the study of the factorial, on planted features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studies.factorial import layers
from studies.factorial.layers import (
    BY_LAYER,
    BY_SUBJECT,
    VARIANTS,
    LayerResult,
    evaluate_layers,
    importance_map,
)
from studies.factorial.subjects import Recorded
from tests.studies.test_factorial import recorded

LATE = 3  # the visit at which one statistic tells the rule


@pytest.fixture(scope="module")
def planted() -> Recorded:
    """One statistic tells the rule late, and another the subject at all visits."""
    mine = recorded(0.0)
    features = mine.features.copy(deep=True)
    number = np.unique(mine.labels, return_inverse=True)[1]
    subject = np.random.default_rng(1).normal(0, 20, len(number))
    values = features["stat"].transpose("subject", "visit", "layer", "statistic").to_numpy().copy()
    values[:, LATE, :, 1] += 3 * number[:, None]
    values[:, :, :, 0] += subject[:, None, None]
    features["stat"] = (("subject", "visit", "layer", "statistic"), values)
    return replace(mine, features=features)


@pytest.fixture(scope="module")
def found(
    planted: Recorded, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], LayerResult]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "OBSERVABLES", ("activity",))
        return evaluate_layers(planted, tmp_path_factory.mktemp("layers"), 1)


def test_every_variant_is_stored_and_not_computed_again(
    planted: Recorded,
    found: dict[tuple[str, str], LayerResult],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert set(found) == {("activity", variant) for variant in VARIANTS}
    monkeypatch.setattr(layers, "OBSERVABLES", ("activity",))
    for place in range(len(VARIANTS)):
        file = tmp_path / f"layers.activity.{place}.json"
        file.write_text('{"correct": [1.0], "permuted": {}, "importance": [[0.5]]}')
    again = evaluate_layers(planted, tmp_path, 1)
    assert again["activity", BY_LAYER].correct.tolist() == [1.0]


def test_layers_of_known_subjects_are_recognised(
    planted: Recorded, found: dict[tuple[str, str], LayerResult]
) -> None:
    divided, apart = (found["activity", how].correct for how in (BY_LAYER, BY_SUBJECT))
    gain = layers.less(planted, divided, apart)
    assert gain.value > 0.02
    assert layers.accuracy(planted, apart).low > 1 / 3


def test_importance_lies_where_the_rule_is_told(
    planted: Recorded, found: dict[tuple[str, str], LayerResult]
) -> None:
    each = importance_map(planted, "activity", found["activity", BY_SUBJECT]).mean("fold")
    largest = each.where(each == each.max(), drop=True)
    assert largest["visit"].item() == LATE
    assert largest["statistic"].item() == "actraw_norm"


def test_accuracy_is_lost_without_the_statistic_that_tells_the_rule(
    planted: Recorded, found: dict[tuple[str, str], LayerResult]
) -> None:
    result = found["activity", BY_SUBJECT]
    lost = {
        name: layers.less(planted, result.correct, correct)
        for name, correct in result.permuted.items()
    }
    assert lost["activity: norm"].low > 0.1
    assert lost["activity: norm"].value > lost["activity: mean"].value + 0.1
    assert abs(lost["depth"].value) < 0.05
