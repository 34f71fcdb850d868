from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.subject.cohorts import (
    CLASSES,
    assert_steps,
    batch,
    mlp,
    network_and_modules,
    part_of_subject,
)
from tests.subject.training.test_trainer import TASK, subject, visits_of
from virtuallab.errors import UnknownName, UserError
from virtuallab.registry import LOSSES, RULES
from virtuallab.subject.network.initialization import forward_network
from virtuallab.subject.rule import Updates
from virtuallab.subject.subject import Cohort
from virtuallab.subject.training.compatibility import incompatibility
from virtuallab.subject.training.trainer import CohortTrainer
from virtuallab.vocabulary import SQUARED_ERROR

OF_CLASSES = [name for name in LOSSES if LOSSES[name].targets == "classes"]
UNMOVED = {"bcm", "forward_forward", "hebbian", "oja"}  # no error reaches their hidden layers
REFUSED = {"direct_random_target_projection"}


def one_hot(labels: Tensor) -> Tensor:
    return torch.eye(CLASSES, dtype=torch.float64)[labels]


def errors(loss: str, scores: Tensor, labels: Tensor) -> Tensor:
    """Gradient of a sample's loss with respect to its scores, in closed form."""
    answer = scores if loss == SQUARED_ERROR else scores.softmax(-1)
    return answer - one_hot(labels)


def updates(rule: str, loss: str) -> Updates:
    network, _ = network_and_modules(mlp, loss=loss)
    stimuli, labels = batch()
    made = RULES[rule]()
    return made.compute_updates(network, stimuli, labels, made.first_forward_step)


@pytest.mark.parametrize("loss", OF_CLASSES)
def test_the_gradient_of_each_loss_is_its_closed_form(loss: str) -> None:
    generator = torch.Generator().manual_seed(1)
    scores = torch.randn(6, 2, CLASSES, generator=generator, dtype=torch.float64)
    labels = torch.randint(CLASSES, (6, 2), generator=generator)
    losses = LOSSES[loss]()(scores.requires_grad_(), labels)
    assert losses.shape == (6, 2)
    (found,) = torch.autograd.grad(losses.sum(), scores)
    torch.testing.assert_close(found, errors(loss, scores.detach(), labels))


def test_the_squared_error_is_half_the_squared_distance_to_the_one_hot_target() -> None:
    scores = torch.tensor([[[1.0, 2.0, 0.0]]])
    assert LOSSES[SQUARED_ERROR]()(scores, torch.tensor([[1]])).item() == (1 + 1 + 0) / 2
    assert LOSSES[SQUARED_ERROR]()(scores, torch.tensor([[2]])).item() == (1 + 4 + 1) / 2


@pytest.mark.parametrize("loss", OF_CLASSES)
@pytest.mark.parametrize("rule", ["backprop", "feedback_alignment"])
def test_a_returned_error_begins_with_the_gradient_of_the_loss(rule: str, loss: str) -> None:
    network, modules = network_and_modules(mlp, loss=loss)
    backward = [layer.backward_weight for layer in network.layers.values()]
    if rule == "backprop":
        for layer in network.layers.values():
            layer.backward_weight = None
    stimuli, labels = batch()
    found = RULES[rule]().compute_updates(network, stimuli, labels, 0)
    for number, module in enumerate(modules):
        images, shown = part_of_subject(stimuli, labels, number)
        x = images.flatten(1)
        w = [layer.weight for layer in (module[1], module[3], module[5])]
        b = w if rule == "backprop" else [weight[number] for weight in backward]
        h1 = module[1](x).relu()
        h2 = module[3](h1).relu()
        scores = module[5](h2)
        delta3 = errors(loss, scores, shown) / len(x)
        delta2 = delta3 @ b[2] * (h2 > 0)
        delta1 = delta2 @ b[1] * (h1 > 0)
        expected: list[Tensor] = []
        for delta, read in ((delta1, x), (delta2, h1), (delta3, h2)):
            expected += [(delta.T @ read).detach(), delta.sum(0).detach()]
        assert_steps(found.forward, number, expected)
        distance = (scores - one_hot(shown)).square().sum(1).mean() / 2
        if loss == SQUARED_ERROR:
            torch.testing.assert_close(found.losses[number], distance.detach())


@pytest.mark.parametrize("rule", sorted(set(RULES) - REFUSED))
def test_every_rule_feels_the_loss_wherever_an_error_reaches(rule: str) -> None:
    usual, other = (updates(rule, loss) for loss in OF_CLASSES)
    assert (usual.losses != other.losses).all()
    moved = [not torch.equal(a, b) for a, b in zip(usual.forward, other.forward, strict=True)]
    weights = moved[::2]  # each is followed by its bias
    assert weights == [rule not in UNMOVED] * 2 + [True]


@pytest.mark.parametrize("rule", list(RULES))
def test_a_rule_with_an_error_of_its_own_refuses_another_loss(rule: str) -> None:
    made = subject(rule)
    refused = incompatibility(made.rule, made.architecture, made.task, SQUARED_ERROR)
    assert (refused is not None) == (rule in REFUSED)
    assert incompatibility(made.rule, made.architecture, made.task) is None


def test_a_refusal_says_what_to_do() -> None:
    refused = replace(subject("direct_random_target_projection"), loss=SQUARED_ERROR)
    with pytest.raises(
        UserError, match=r"would not depend on squared_error\. Use 'loss: cross_entropy'"
    ):
        CohortTrainer(Cohort((refused,)), torch.float32, "cpu")
    correct = RULES["reward_modulated_hebbian"](reward="correct")
    assert correct.loss_incompatibility("cross_entropy") is None
    assert "squared_error would change nothing" in correct.loss_incompatibility(SQUARED_ERROR)


def test_the_truth_is_told_in_the_loss_that_was_minimised() -> None:
    made = [replace(subject("backprop", "mlp", n), loss=SQUARED_ERROR) for n in range(2)]
    first, *_, last = visits_of(made, dtype=torch.float64)
    images = TASK.validation()
    for number, one in enumerate(made):
        with torch.no_grad():
            scores = forward_network(one).double()(images.stimuli.double())
        target = torch.eye(scores.shape[1], dtype=torch.float64)[images.labels]
        expected = (scores - target).square().sum(1).mean() / 2
        np.testing.assert_allclose(first.evaluation["validation_loss"][number], expected)
        np.testing.assert_allclose(first.evaluation["gradient_angle"][number], 0, atol=1e-6)
    assert (last.evaluation["validation_loss"] < first.evaluation["validation_loss"]).all()


def test_an_unknown_loss_is_told_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"no loss is called 'squared'\. Did you mean 'squared_"):
        LOSSES["squared"]
