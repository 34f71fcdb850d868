"""Tasks that take their images from another task."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.network.initialization import initialized_network
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.preparation import prepare
from virtuallab.subject.subject import Cohort, Subject, plugin_data
from virtuallab.subject.task import Task
from virtuallab.subject.training.compatibility import incompatibility
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import train

SIZES = {"train_images": 120, "validation_images": 60, "probe_images": 20}
NAMES = ("contrastive", "reconstruction", "rotation")
NET = ARCHITECTURES["knet4"](channels=(4, 6, 6))


def task(name: str, **settings: object) -> Task:
    small = {"views": 3} if name == "contrastive" else {}
    return TASKS[name](**SIZES | small | settings)


def visits(one: Task, rule: str = "backprop", rate: float = 0.05, steps: int = 60) -> list[Visit]:
    subjects = tuple(
        Subject(
            architecture=NET,
            task=one,
            rule=RULES[rule](),
            optimizer=OPTIMIZERS["sgd"](learning_rate=rate, momentum=0.9),
            label=rule,
            batch_size=20,
            steps=steps,
            replicate=replicate,
            seed=1,
        )
        for replicate in range(2)
    )
    seen: list[Visit] = []
    train(Cohort(subjects), [0, steps], seen.append)
    return seen


@pytest.mark.parametrize("name", NAMES)
def test_the_images_are_those_of_the_other_task_in_the_same_parts(name: str) -> None:
    made, other = task(name), TASKS["digits"](**SIZES)
    if name != "rotation":
        assert torch.equal(made.train().stimuli, other.train().stimuli)
        assert torch.equal(made.stimuli().labels, other.stimuli().labels)
    assert made.stimulus_shape == other.stimulus_shape


@pytest.mark.parametrize("name", NAMES)
def test_subjects_learn_and_the_loss_falls(name: str) -> None:
    first, last = visits(task(name), steps=600)
    assert (last.evaluation["validation_loss"] < first.evaluation["validation_loss"]).all()
    np.testing.assert_allclose(last.evaluation["gradient_angle"], 0, atol=1e-3)
    assert np.isfinite(last.evaluation["validation_performance"]).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_learns_these_tasks_or_is_refused_with_the_reason(name: str, rule: str) -> None:
    net = ARCHITECTURES["mlp"](hidden=(8,)) if RULES[rule].dense_only else NET
    made = task(name)
    refused = incompatibility(RULES[rule](), net, made, made.own_loss)
    expected = RULES[rule].needs_classes or (RULES[rule].needs_own_loss and made.targets == "views")
    assert (refused is not None) == expected
    if refused:
        assert "another rule" in refused
        return
    first = Subject(
        architecture=net,
        task=made,
        rule=RULES[rule](),
        optimizer=OPTIMIZERS["sgd"](learning_rate=1e-3),
        label=rule,
        batch_size=20,
        steps=2,
        replicate=0,
        seed=1,
        loss=made.own_loss,
    )
    seen: list[Visit] = []
    train(Cohort((first,)), [0, 2], seen.append)
    assert np.isfinite(seen[-1].evaluation["validation_loss"]).all()
    assert not np.array_equal(seen[0].state, seen[-1].state)


def test_the_head_of_contrastive_learning_replaces_the_readout() -> None:
    made = task("contrastive", dimensions=7)
    network = initialized_network(NET, made, 0)
    kinds = [type(layer).__name__ for layer in network.fc4]
    assert kinds == ["Linear", "BatchNorm1d", "ReLU", "Linear", "BatchNorm1d"]
    assert network(made.stimuli().stimuli[:4]).shape == (4, 7)
    layers = parameter_layout(NET, made).layers
    assert layers == ("conv1", "conv2", "conv3", "fc4.0", "fc4.3")
    states = np.zeros((2, parameter_layout(NET, made).size), dtype=np.float32)
    prepared = prepare(NET, made, states)
    assert prepared.responses["fc4.3"].shape == (2, 20, 7)


def test_the_views_are_the_same_in_every_process_and_differ_from_one_another() -> None:
    one, again = (task("contrastive", views=n).train().views for n in (3, 3))
    assert one is not None
    assert again is not None
    assert torch.equal(one, again)
    assert not torch.equal(one[:, 0], one[:, 1])
    validation = task("contrastive").validation().views
    assert validation is not None
    assert validation.shape[:2] == (60, 2)


def test_views_without_augmentation_are_the_image() -> None:
    plain = task("contrastive", smallest_crop=1.0, mirror=False, jitter=0.0, blur=False).train()
    assert plain.views is not None
    # Crops of the whole area may still have another ratio of height to width.
    same = (plain.views - plain.stimuli.unsqueeze(1)).abs().flatten(2).amax(2) < 1e-5
    assert same.float().mean() > 0.1


def test_an_image_is_turned_by_the_angle_that_is_its_value() -> None:
    bar = np.zeros((200, 1, 15, 15), dtype=np.float32)
    bar[:, :, 7, 2:13] = 1.0

    class Bars(TASKS["digits"]):  # type: ignore[misc]
        name = "bars"
        stimulus_shape = (1, 15, 15)

        def images(self) -> tuple[np.ndarray, np.ndarray]:
            return bar, np.arange(200) % 10

    made = task("rotation", of=Bars(), largest=60.0)
    turned = made.train()
    assert turned.values is not None
    rows, columns = np.indices((15, 15)) - 7
    for image, value in zip(turned.stimuli.numpy()[:, 0], turned.values.numpy()[:, 0], strict=True):
        weight = np.clip(image - np.median(image), 0, None)
        moments = [
            (weight * a * b).sum() for a, b in ((columns, columns), (columns, rows), (rows, rows))
        ]
        angle = 0.5 * np.arctan2(2 * moments[1], moments[0] - moments[2])
        assert abs(np.rad2deg(angle)) == pytest.approx(abs(60 * value), abs=4)
    assert set(turned.labels.tolist()) == {0, 1, 2, 3}


def test_corners_of_turned_images_show_nothing() -> None:
    corners = task("rotation").train().stimuli[:, 0, 0, 0]
    assert (corners == corners[0]).all()


def test_sizes_stand_beside_the_other_task() -> None:
    with pytest.raises(ValueError, match="'train_images' has to stand beside 'of'"):
        task("rotation", of=TASKS["digits"](train_images=50))
    with pytest.raises(ValueError, match="'of' has to be a classification task; 'rotation'"):
        task("contrastive", of=task("rotation"))


def test_the_other_task_is_part_of_the_identity() -> None:
    one, other = (
        plugin_data(task("rotation", of=TASKS[name]())) for name in ("digits", "mnist_5k")
    )
    assert one["of"]["name"] == "digits"
    assert one != other
