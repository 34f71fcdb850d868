"""What is said of a movement, against its definition and against movements that were planted."""

from __future__ import annotations

import numpy as np
import pytest

from tests.probes.statistics.test_inner_products import walk
from virtuallab.probes.statistics.inner_products import LayerResponses
from virtuallab.probes.statistics.movement import (
    drift,
    evenness,
    movement,
    squared_displacement,
    squared_steps,
)

STIMULI, UNITS = 30, 50
LABELS = np.arange(STIMULI) % 5


def stream(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def path(*moves: np.ndarray) -> np.ndarray:
    """Responses that begin anywhere and move so."""
    start = stream(9).standard_normal((STIMULI, UNITS))
    return start + np.concatenate([np.zeros((1, STIMULI, UNITS)), np.cumsum(moves, axis=0)])


def within(directions: np.ndarray, seed: int) -> np.ndarray:
    """A movement within a subspace of units."""
    return stream(seed).standard_normal((STIMULI, len(directions))) @ directions


def test_movements_within_one_subspace_overlap_and_others_do_not() -> None:
    here = stream(1).standard_normal((3, UNITS))
    there = stream(2).standard_normal((3, UNITS))
    found = movement(
        LayerResponses(path(within(here, 3), within(here, 4), within(there, 5)), LABELS)
    )
    assert found["act_move_units_last"][2] > 0.7
    assert abs(found["act_move_units_last"][3]) < 0.2
    assert found["act_move_units_first"][1] == pytest.approx(1)
    assert found["act_move_units_first"][2] > 0.7
    assert abs(found["act_move_units_first"][3]) < 0.2


def test_overlap_is_the_cosine_of_covariances_without_their_common_part() -> None:
    one, other = (stream(seed).standard_normal((STIMULI, UNITS)) for seed in (1, 2))

    def deviation(move: np.ndarray) -> np.ndarray:
        tuned = move - move.mean(0)
        covariance = tuned.T @ tuned
        return covariance - np.trace(covariance) / UNITS * np.eye(UNITS)

    a, b = deviation(one), deviation(other)
    expected = (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())
    assert movement(LayerResponses(path(one, other)))["act_move_units_last"][2] == pytest.approx(
        expected
    )


def test_dimensions_are_those_of_pairs_of_units() -> None:
    move = stream(1).standard_normal((STIMULI, UNITS))
    start = path(move)[0]

    def dimension(pattern: np.ndarray) -> float:
        tuned = pattern - pattern.mean(0)
        pairs = [(u, v) for u in range(UNITS) for v in range(UNITS) if u != v]
        energy = (tuned**2).sum(0)
        above = sum(energy[u] * energy[v] for u, v in pairs)
        return float(np.log(above / sum((tuned[:, u] @ tuned[:, v]) ** 2 for u, v in pairs)))

    found = movement(LayerResponses(path(move)))["act_move_dimension"]
    assert found[1] == pytest.approx(dimension(move) - dimension(start))


@pytest.mark.parametrize("dimensions", [2, 6])
def test_a_sample_of_units_tells_the_dimensions_of_all(dimensions: int) -> None:
    directions = stream(1).standard_normal((dimensions, 4_000))
    move = stream(2).standard_normal((STIMULI, dimensions)) @ directions
    start = stream(3).standard_normal((STIMULI, 4_000))
    whole = np.stack([start, start + move])
    few = [stream(seed).permutation(4_000)[:12] for seed in range(60)]
    of_few = [
        movement(LayerResponses(whole[:, :, units]))["act_move_dimension"][1] for units in few
    ]
    all_of_them = movement(LayerResponses(whole))["act_move_dimension"][1]
    assert np.nanmean(of_few) == pytest.approx(all_of_them, abs=0.25)


def test_what_classes_have_in_common_is_told_from_the_rest() -> None:
    by_class = stream(1).standard_normal((5, UNITS))[LABELS]
    alone = stream(2).standard_normal((STIMULI, UNITS))
    found = movement(LayerResponses(path(by_class, alone), LABELS))["act_move_class_share"]
    assert found[1] == pytest.approx(1)
    assert found[2] < 0.3
    assert "act_move_class_share" not in movement(LayerResponses(path(by_class)))


def test_before_anything_moved_there_is_nothing_to_say() -> None:
    one, other = (stream(seed).standard_normal((STIMULI, UNITS)) for seed in (1, 2))
    for values in movement(LayerResponses(path(one, other), LABELS)).values():
        assert values[0] == 0
        assert len(values) == 3
    for values in movement(LayerResponses(path(one, other)[:1], LABELS)).values():
        assert values.tolist() == [0]


def test_units_that_were_lost_have_no_part_in_it() -> None:
    one, other = (stream(seed).standard_normal((STIMULI, UNITS)) for seed in (1, 2))
    responses = path(one, other)
    kept = np.ones((3, 3, UNITS), dtype=bool)
    kept[..., 10:] = np.eye(3, dtype=bool)[..., None]
    found = movement(LayerResponses(responses, LABELS, kept))
    alone = movement(LayerResponses(responses[..., :10], LABELS))
    for name in ("act_move_similarity_last", "act_move_class_share", "act_move_mean_evenness"):
        np.testing.assert_allclose(found[name], alone[name], atol=1e-12)
    nobody = movement(
        LayerResponses(responses, LABELS, np.repeat(np.eye(3, dtype=bool)[..., None], UNITS, 2))
    )
    assert np.isnan(nobody["act_move_dimension"][1:]).all()


def test_distances_are_those_between_the_patterns():
    flat = walk().reshape(7, -1)
    gram = flat @ flat.T
    np.testing.assert_allclose(
        np.sqrt(squared_steps(gram))[1:], np.linalg.norm(np.diff(flat, axis=0), axis=1)
    )
    np.testing.assert_allclose(
        np.sqrt(squared_displacement(gram)), np.linalg.norm(flat - flat[0], axis=1)
    )


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


@pytest.mark.parametrize(("moving", "wanted"), [(8, 1.0), (4, 0.5), (1, 0.125)])
def test_evenness_is_the_share_of_units_that_moved(moving, wanted):
    responses = np.zeros((3, 5, 8))
    responses[1, :, :moving] = 2
    np.testing.assert_allclose(evenness(responses), [1, wanted, wanted])
