"""Movement of a pattern, from inner products, against its definition on the patterns themselves."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.probe.statistics.inner_products import displaced, drift, evenness, grams, moved


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
    found = dict(zip(PARTS, grams(walk(), LABELS), strict=True))[part]
    flat = PARTS[part](walk()).reshape(7, -1)
    np.testing.assert_allclose(found, flat @ flat.T, rtol=1e-9)


def test_distances_are_those_between_the_patterns():
    flat = walk().reshape(7, -1)
    gram = flat @ flat.T
    np.testing.assert_allclose(
        np.sqrt(moved(gram))[1:], np.linalg.norm(np.diff(flat, axis=0), axis=1)
    )
    np.testing.assert_allclose(np.sqrt(displaced(gram)), np.linalg.norm(flat - flat[0], axis=1))


def test_each_measure_is_its_definition():
    flat = walk().reshape(7, -1)
    steps = np.diff(flat, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    norms = np.linalg.norm(flat, axis=1)
    found = drift("x", flat @ flat.T)
    for visit in range(2, 7):
        path = lengths[:visit].sum()
        wanted = {
            "x_cosine_start": flat[visit] @ flat[0] / (norms[visit] * norms[0]),
            "x_cosine_last": flat[visit] @ flat[visit - 1] / (norms[visit] * norms[visit - 1]),
            "x_step": np.log1p(lengths[visit - 1] / norms[visit - 1]),
            "x_pace": np.log(lengths[visit - 1] / (path / visit)),
            "x_turn": steps[visit - 1]
            @ steps[visit - 2]
            / (lengths[visit - 1] * lengths[visit - 2]),
            "x_straightness": np.linalg.norm(flat[visit] - flat[0]) / path,
        }
        assert {name: values[visit] for name, values in found.items()} == pytest.approx(wanted)


def test_before_learning_nothing_has_moved():
    flat = walk().reshape(7, -1)
    first = {name: values[0] for name, values in drift("x", flat @ flat.T).items()}
    assert first == pytest.approx(
        {
            "x_cosine_start": 1,
            "x_cosine_last": 1,
            "x_step": 0,
            "x_pace": 0,
            "x_turn": 0,
            "x_straightness": 1,
        }
    )


def test_what_goes_straight_on_neither_turns_nor_strays():
    flat = np.arange(5)[:, None] * np.array([0.3, -2.0, 1.0]) + np.array([1.0, 1.0, 1.0])
    found = drift("x", flat @ flat.T)
    np.testing.assert_allclose(found["x_turn"][2:], 1)
    np.testing.assert_allclose(found["x_straightness"], 1)
    np.testing.assert_allclose(found["x_pace"], 0, atol=1e-12)


def test_what_goes_to_and_fro_gets_nowhere():
    flat = np.array([[1.0, 0.0], [1.0, 1.0]])[[0, 1, 0, 1, 0]]
    found = drift("x", flat @ flat.T)
    np.testing.assert_allclose(found["x_turn"][2:], -1)
    np.testing.assert_allclose(found["x_straightness"], [1, 1, 0, 1 / 3, 0], atol=1e-12)


def test_what_stands_still_has_moved_by_nothing_at_all():
    flat = np.tile(np.random.default_rng(0).standard_normal(500).astype(np.float32), (4, 1))
    exact = flat.astype(np.float64)
    found = drift("x", exact @ exact.T)
    np.testing.assert_array_equal(found["x_step"], 0)
    np.testing.assert_array_equal(found["x_turn"], 0)
    np.testing.assert_array_equal(found["x_pace"], 0)
    np.testing.assert_array_equal(found["x_straightness"], 1)


def test_one_visit_alone_can_be_measured():
    found = drift("x", np.array([[4.0]]))
    assert {len(values) for values in found.values()} == {1}


def test_responses_that_no_stimulus_changes_have_no_tuning():
    same = np.repeat(walk()[:, :1], 12, axis=1)
    _, tuning, classes = grams(same, LABELS)
    np.testing.assert_array_equal(tuning, 0)
    np.testing.assert_array_equal(classes, 0)
    assert np.isnan(drift("x", tuning)["x_cosine_last"][1:]).all()


@pytest.mark.parametrize(("moving", "wanted"), [(8, 1.0), (4, 0.5), (1, 0.125)])
def test_evenness_is_the_share_of_units_that_moved(moving, wanted):
    responses = np.zeros((3, 5, 8))
    responses[1, :, :moving] = 2
    np.testing.assert_allclose(evenness(responses), [1, wanted, wanted])
