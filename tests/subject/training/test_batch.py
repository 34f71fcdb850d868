"""Batches of training images."""

from __future__ import annotations

import numpy as np
import torch

from virtuallab.subject.task import Images
from virtuallab.subject.training.batch import batch_of

CHOSEN = torch.tensor([[0, 3], [4, 1], [2, 2]])  # batch x subject


def numbers(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def images(**more: torch.Tensor) -> Images:
    return Images(numbers(5, 2, 3, 3), torch.arange(5), **more)


def streams(seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, subject]) for subject in range(2)]


def test_each_subject_sees_its_own_images() -> None:
    shown = images()
    stimuli, labels = batch_of(shown, CHOSEN, streams())
    assert torch.equal(labels, CHOSEN)
    for subject in range(2):
        own = stimuli[:, 2 * subject : 2 * subject + 2]
        assert torch.equal(own, shown.stimuli[CHOSEN[:, subject]])


def test_targets_are_values_where_images_have_them() -> None:
    values = numbers(5, 4)
    targets = batch_of(images(values=values), CHOSEN, streams())[1]
    assert torch.equal(targets, values[CHOSEN])


def test_two_different_views_of_each_image_are_half_a_batch_apart() -> None:
    views = torch.arange(5 * 3.0).view(5, 3, 1, 1, 1).expand(5, 3, 2, 3, 3)  # 3 views of an image
    shown = images(views=views)
    stimuli, _ = batch_of(shown, CHOSEN, streams())
    assert stimuli.shape == (6, 4, 3, 3)
    number = stimuli[:, ::2, 0, 0].long()  # image * 3 + view
    assert torch.equal(number // 3, CHOSEN.repeat(2, 1))
    assert (number[:3] != number[3:]).all()


def test_all_pairs_of_views_are_drawn_alike() -> None:
    views = torch.arange(3.0).view(1, 3, 1, 1, 1)
    shown = Images(torch.zeros(1, 1, 1, 1), torch.zeros(1, dtype=torch.int64), views=views)
    seen = batch_of(shown, torch.zeros(6000, 1, dtype=torch.int64), streams()[:1])[0].flatten()
    pairs = (seen[:6000] * 3 + seen[6000:]).long().bincount(minlength=9).view(3, 3)
    assert pairs.diagonal().tolist() == [0, 0, 0]
    assert pairs.sum() == 6000
    assert pairs[~torch.eye(3, dtype=torch.bool)].min() > 850  # 1,000 on average


def test_the_views_of_a_subject_depend_on_its_stream_alone() -> None:
    views = numbers(5, 4, 1, 2, 2)
    shown = images(views=views)
    both, _ = batch_of(shown, CHOSEN, streams())
    one, _ = batch_of(shown, CHOSEN[:, 1:], streams()[1:])
    assert torch.equal(both[:, 1:], one)
