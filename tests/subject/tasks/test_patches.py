"""Patches of photographs: their regions, their classes, and how far they are from trivial."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier

from virtuallab.errors import MissingLibrary, UserError
from virtuallab.registry import TASKS
from virtuallab.subject.tasks import _photographs
from virtuallab.subject.tasks._photographs import FILES, corners, patches, photograph


def covered(name: str, side: int, part: int) -> np.ndarray:
    """Pixels of a photograph that some patch of a part contains."""
    pixels = np.zeros(photograph(name, 1).shape[1:], dtype=bool)
    for row, column in corners(name, side, part):
        pixels[row : row + side, column : column + side] = True
    return pixels


@pytest.mark.parametrize("side", [8, 64])
@pytest.mark.parametrize("name", ["cat", "flower"])
def test_patches_of_two_parts_share_no_pixel(name: str, side: int) -> None:
    times = sum(covered(name, side, part).astype(int) for part in range(3))
    assert times.max() == 1
    assert (times > 0).mean() > 0.6  # blocks cover the photograph but for its margin


@pytest.mark.parametrize("name", FILES)
def test_every_photograph_has_a_region_for_each_part_at_the_largest_side(name: str) -> None:
    for part in range(3):
        assert len(corners(name, 64, part)) > 0


def test_a_patch_is_what_the_photograph_shows_at_its_corner() -> None:
    row, column = corners("cat", 16, 1)[0]
    whole = photograph("cat", 3)
    expected = whole[:, row : row + 16, column : column + 16]
    found = patches("cat", 16, 3, part=1, count=1)
    assert found.shape == (1, 3, 16, 16)
    np.testing.assert_array_equal(found[0], expected)


def test_uniform_patches_are_left_out() -> None:
    found = patches("stars", 8, 1, part=0, count=500)
    assert found.std(axis=(1, 2, 3)).min() >= 0.02 * 255
    dark = sum(
        photograph("stars", 1)[0, r : r + 8, c : c + 8].std() < 0.02 * 255
        for r, c in corners("stars", 8, 0)[:500]
    )
    assert dark > 0


def test_more_images_keep_the_patches_of_fewer() -> None:
    few, many = (patches("coffee", 16, 1, part=0, count=count) for count in (5, 50))
    np.testing.assert_array_equal(few, many[:5])


@pytest.mark.parametrize("channels", [1, 3])
def test_settings_decide_the_shape(channels: int) -> None:
    task = TASKS["patches"](
        side=10, channels=channels, train_images=80, validation_images=17, probe_images=8
    )
    assert task.stimulus_shape == (channels, 10, 10)
    assert task.train().stimuli.shape == (80, channels, 10, 10)
    assert np.bincount(task.validation().labels).tolist() == [3, 2, 2, 2, 2, 2, 2, 2]


def test_a_linear_read_out_of_pixels_is_above_chance_and_far_from_perfect() -> None:
    task = TASKS["patches"](train_images=800, validation_images=400)
    train, validation = task.train(), task.validation()
    model = RidgeClassifier(alpha=300).fit(train.stimuli.flatten(1).numpy(), train.labels.numpy())
    accuracy = model.score(validation.stimuli.flatten(1).numpy(), validation.labels.numpy())
    assert task.chance + 0.08 < accuracy < 0.5


def test_more_patches_than_a_region_has_are_refused() -> None:
    with pytest.raises(UserError, match=r"'patches' has \d+ patches .* for probe_images, which"):
        TASKS["patches"](side=64, probe_images=200_000).stimuli()


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILES, "unicorn", ("nowhere_at_all", "unicorn.png"))
    monkeypatch.setitem(_photographs._DISTRIBUTIONS, "nowhere_at_all", "nowhere")
    with pytest.raises(MissingLibrary, match="nowhere is not installed"):
        photograph("unicorn", 1)
