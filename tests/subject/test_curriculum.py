"""Curricula show the images that they promise, and the default one those of always."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.subject.cohorts import TASK, subject, trainer_of
from virtuallab import seeds
from virtuallab.registry import CURRICULA, SCHEDULES, TASKS
from virtuallab.subject.curricula.easy_to_hard import difficulties
from virtuallab.subject.curriculum import Passes

IMAGES = TASKS["digits"](train_images=200).train()
LABELS = IMAGES.labels.numpy()
CLASSES, SIZE = 10, 20


def shown(name: str, steps: int, seed: int = 0, size: int = SIZE, **settings: Any) -> np.ndarray:
    """Indices of images (step, batch)."""
    batches = CURRICULA[name](**settings).batches(IMAGES, size, steps, np.random.default_rng(seed))
    return np.stack(list(itertools.islice(batches, steps)))


def counts(batches: np.ndarray) -> np.ndarray:
    """Images of each class (step, class)."""
    return np.stack([np.bincount(LABELS[each], minlength=CLASSES) for each in batches])


def test_the_default_order_is_a_permutation_for_each_epoch_from_the_stream_of_the_data_order() -> (
    None
):
    one = subject("backprop")
    stream = seeds.generator(one.seed, one.key, seeds.DATA_ORDER)
    images = TASK.train()
    epochs = [stream.permutation(len(images.labels)) for _ in range(2)]
    expected = np.concatenate(epochs).reshape(-1, one.batch_size)
    for which, (stimuli, labels) in zip(expected, trainer_of(one).batches(), strict=False):
        assert stimuli.equal(images.stimuli[which].double())
        assert labels[:, 0].equal(images.labels[which])


def test_images_that_fill_no_batch_are_dropped_at_the_end_of_a_shuffled_epoch() -> None:
    found = shown("shuffled", 12, size=30)
    for epoch in (found[:6], found[6:]):
        assert len(np.unique(epoch)) == 180


@pytest.mark.parametrize("steps", [5, 37, 200])
def test_a_block_has_its_own_classes_alone(steps: int) -> None:
    found = counts(shown("blocked", steps)) > 0
    blocks = [tuple(np.flatnonzero(row)) for row in found]
    assert len(set(blocks)) == 5
    assert sorted(sum(set(blocks), ())) == list(range(CLASSES)), "each class is in one block"
    lengths = [len(list(group)) for _, group in itertools.groupby(blocks)]
    assert len(lengths) == 5, "no block returns"
    assert max(lengths) - min(lengths) <= 1


def test_blocks_may_return_and_have_an_order() -> None:
    order = (3, 1, 4, 0, 5, 9, 2, 6, 8, 7)
    found = counts(shown("blocked", 40, classes_per_block=1, cycles=2, class_order=order))
    assert found.max(1).tolist() == [SIZE] * 40
    classes = found.argmax(1)
    assert [each for each, _ in itertools.groupby(classes)] == [*order, *order]


def test_the_last_block_has_the_rest_of_the_classes() -> None:
    found = counts(shown("blocked", 30, classes_per_block=4)) > 0
    assert found.sum(1).tolist() == [4] * 20 + [2] * 10


def test_every_image_of_a_block_comes_before_one_returns() -> None:
    found = shown("blocked", 20, classes_per_block=5)
    first = found[:10].ravel()
    members = np.flatnonzero(np.isin(LABELS, LABELS[first]))
    rounds = first[: len(members) * (len(first) // len(members))].reshape(-1, len(members))
    assert len(rounds) >= 1
    for each in rounds:
        assert sorted(each) == members.tolist()


def test_the_order_of_classes_differs_between_subjects() -> None:
    orders = {tuple(counts(shown("blocked", 10, n, classes_per_block=1)).argmax(1)) for n in (1, 2)}
    assert len(orders) == 2


def test_interleaved_classes_are_equally_frequent_and_shuffled_ones_are_not() -> None:
    found = counts(shown("interleaved", 30, size=25))
    assert found.sum(0).tolist() == [75] * CLASSES
    assert found.max() - found.min() <= 2
    at_random = counts(shown("shuffled", 8, size=25))
    assert at_random.max() - at_random.min() > 2


def test_rare_classes_are_rare_in_all_of_training() -> None:
    found = counts(shown("imbalanced", 400, ratio=5.0)).sum(0)
    falling = np.sort(found)[::-1]
    assert falling[0] / falling[-1] == pytest.approx(5, rel=0.15)
    expected = 5.0 ** (-np.arange(CLASSES) / (CLASSES - 1))
    np.testing.assert_allclose(falling / falling[0], expected, rtol=0.15)
    used = {seed: np.unique(shown("imbalanced", 50, seed, ratio=5.0)) for seed in (0, 1)}
    assert not np.array_equal(used[0], used[1])
    assert (
        counts(shown("imbalanced", 50, 0)).sum(0).argmin()
        != counts(shown("imbalanced", 50, 1)).sum(0).argmin()
    ), "another class is rare in another subject"


def test_a_ratio_of_one_leaves_all_images() -> None:
    assert len(np.unique(shown("imbalanced", 10, ratio=1.0))) == len(LABELS)


def test_easy_images_come_first_and_all_come_later() -> None:
    difficulty = difficulties(IMAGES)
    found = shown("easy_to_hard", 200, start=0.2, complete=0.5)
    early, late = found[:2].ravel(), found[120:].ravel()
    assert difficulty[early].mean() < difficulty.mean() < difficulty[late].max()
    for which in range(CLASSES):
        own = np.flatnonzero(which == LABELS)
        bound = np.sort(difficulty[own])[max(round(0.2 * len(own)), 1) - 1]
        assert difficulty[early[LABELS[early] == which]].max() <= bound
    assert set(late) == set(range(len(LABELS)))
    reverse = shown("easy_to_hard", 200, hardest_first=True)[:2].ravel()
    assert difficulty[reverse].mean() > difficulty.mean()


def test_the_share_in_use_grows_to_all() -> None:
    made = CURRICULA["easy_to_hard"](start=0.2, complete=0.5)
    np.testing.assert_allclose([made.share(p) for p in (0.0, 0.25, 0.5, 1.0)], [0.2, 0.6, 1, 1])
    assert CURRICULA["easy_to_hard"](complete=0.0).share(0.0) == 1


def test_difficulty_is_the_distance_to_the_own_mean_over_that_to_the_nearest_other() -> None:
    pixels = IMAGES.stimuli.flatten(1).double().numpy()
    means = [pixels[which == LABELS].mean(0) for which in range(CLASSES)]
    found = difficulties(IMAGES)
    for image in (0, 17, 123):
        distances = [float(np.linalg.norm(pixels[image] - mean)) for mean in means]
        own = distances.pop(LABELS[image])
        assert found[image] == pytest.approx(own / min(distances))


def test_a_pass_goes_through_the_whole_pool() -> None:
    passes = Passes(np.random.default_rng(0))
    drawn = np.concatenate([passes.draw(np.arange(7), 3) for _ in range(7)])
    for each in drawn.reshape(3, 7):
        assert sorted(each) == list(range(7))


def test_a_task_without_the_classes_of_a_block_is_refused() -> None:
    assert CURRICULA["blocked"]().incompatibility(TASK, 5) is None
    too_many = CURRICULA["blocked"](classes_per_block=11).incompatibility(TASK, 5)
    assert too_many == (
        "11 classes per block, and task 'digits' has 10 classes. Lower classes_per_block."
    )
    twice = CURRICULA["blocked"](class_order=(0, 0, *range(2, 10))).incompatibility(TASK, 5)
    assert twice is not None
    assert "has to name each class of task 'digits' once, from 0 to 9; found 0, 0, 2" in twice


def test_more_blocks_than_steps_are_refused() -> None:
    made = CURRICULA["blocked"](classes_per_block=3, cycles=2)
    assert made.incompatibility(TASK, 8) is None
    assert made.incompatibility(TASK, 7) == (
        "8 blocks in 2 cycles do not fit into 7 training steps: some classes would not be learned. "
        "Lower cycles, raise classes_per_block, or train for longer."
    )


def test_a_ratio_above_the_number_of_images_is_refused() -> None:
    assert CURRICULA["imbalanced"](ratio=float(TASK.train_images)).incompatibility(TASK, 1) is None
    refused = CURRICULA["imbalanced"](ratio=TASK.train_images + 1.0).incompatibility(TASK, 1)
    assert refused is not None
    assert refused.endswith("no class can be so much more frequent than another. Lower ratio.")


def test_a_cohort_learns_by_one_curriculum_and_each_subject_has_its_own_order() -> None:
    curriculum = CURRICULA["blocked"](classes_per_block=1)
    pair = [
        replace(subject("backprop", number=n, steps=10), curriculum=curriculum) for n in range(2)
    ]
    labels = next(trainer_of(*pair).batches())[1]
    assert len(labels[:, 0].unique()) == len(labels[:, 1].unique()) == 1
    alone = [next(trainer_of(one).batches())[1][:, 0] for one in pair]
    for place, own in enumerate(alone):
        assert labels[:, place].equal(own)


def test_defaults_are_no_part_of_an_identity_and_others_are() -> None:
    plain = subject("backprop")
    assert not {"curriculum", "schedule"} & set(plain.identity)
    changed = replace(
        plain, curriculum=CURRICULA["blocked"](), schedule=SCHEDULES["cosine"](final=0.1)
    )
    assert changed.identity == {
        **plain.identity,
        "curriculum": {
            "name": "blocked",
            "classes_per_block": 2,
            "cycles": 1,
            "class_order": (),
        },
        "schedule": {"name": "cosine", "warmup": 0.0, "final": 0.1},
    }
