"""Movement of a pattern, from inner products, against its definition on the patterns themselves."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.probes.statistics.inner_products import LayerResponses, grams
from virtuallab.probes.statistics.movement import (
    drift,
)


def walk(visits: int = 7, stimuli: int = 12, units: int = 9) -> np.ndarray:
    stream = np.random.default_rng(4)
    start = 3 + stream.standard_normal((stimuli, units))
    steps = stream.standard_normal((visits, stimuli, units)) * stream.uniform(
        0.1, 1, (visits, 1, 1)
    )
    return start + steps.cumsum(0)


LABELS = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2])


def tuned(responses: np.ndarray) -> np.ndarray:
    return responses - responses.mean(1, keepdims=True)


def class_part(responses: np.ndarray) -> np.ndarray:
    found = tuned(responses)
    for label in np.unique(LABELS):
        found[:, label == LABELS] = found[:, label == LABELS].mean(1, keepdims=True)
    return found


PARTS = {"whole": lambda responses: responses, "tuned": tuned, "classes": class_part}


@pytest.mark.parametrize("part", PARTS)
def test_inner_products_of_a_part_are_those_of_the_part_itself(part):
    found = dict(zip(PARTS, grams(LayerResponses(walk(), LABELS)), strict=True))[part]
    flat = PARTS[part](walk()).reshape(7, -1)
    np.testing.assert_allclose(found, flat @ flat.T, rtol=1e-9)


def test_responses_that_no_stimulus_changes_have_no_tuning():
    same = np.repeat(walk()[:, :1], 12, axis=1)
    _, tuning, classes = grams(LayerResponses(same, LABELS))
    np.testing.assert_array_equal(tuning, 0)
    np.testing.assert_array_equal(classes, 0)
    assert np.isnan(drift("x", tuning)["x_cosine_last"][1:]).all()
