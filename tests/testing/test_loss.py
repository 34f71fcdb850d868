"""Every loss passes its conformance check, and the check names what a loss breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from virtuallab.registry import LOSSES
from virtuallab.subject.loss import Loss
from virtuallab.subject.losses.cross_entropy import CrossEntropy
from virtuallab.testing import check_loss

pytestmark = pytest.mark.usefixtures("own_random_streams")


@pytest.mark.parametrize("name", list(LOSSES))
def test_a_loss_of_ours_passes(name: str) -> None:
    check_loss(name)


@dataclass(frozen=True, kw_only=True)
class Margin(Loss):
    """Squared distance of each class from its side of a margin."""

    name: ClassVar[str] = "margin"

    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        side = 2 * torch.nn.functional.one_hot(labels, scores.shape[2]).to(scores.dtype) - 1
        return torch.relu(1 - side * scores).square().sum(2)


class Averaged(Margin):
    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        return super().__call__(scores, labels).mean(0)


class Single(Margin):
    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        return super().__call__(scores, labels).float()


class Shifting(Margin):
    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        labels %= 2
        return super().__call__(scores, labels)


class Restless(Margin):
    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        losses = super().__call__(scores, labels)
        return losses * (1 + torch.rand((), dtype=scores.dtype))


class Overflowing(Margin):
    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        picked = scores.gather(2, labels.unsqueeze(2)).squeeze(2)
        return scores.exp().sum(2).log() - picked


class Detached(Margin):
    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        return super().__call__(scores, labels).detach()


class HalfDetached(Margin):
    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        losses = super().__call__(scores, labels)
        return losses / 2 + losses.detach() / 2


class OverSubjects(Margin):
    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        losses = super().__call__(scores, labels)
        return losses + losses.mean(1, keepdim=True)


class OverSamples(Margin):
    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        losses = super().__call__(scores, labels)
        return losses + losses.mean(0, keepdim=True)


class Reversed(Margin):
    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        return super().__call__(-scores, labels)


class OfValues(Margin):
    targets = "values"

    def __call__(self, scores: Tensor, targets: Tensor) -> Tensor:
        return (scores - 2 * targets).square().sum(2)


class OfViews(Margin):
    targets = "views"

    def __call__(self, scores: Tensor, targets: Tensor) -> Tensor:
        neighbours = scores.roll(1, 0)  # not those with the other view
        return (scores - neighbours).square().sum(2) - 0.1 * scores.square().sum(2).tanh()


class TwoDimensional(Margin):
    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(scores, labels, reduction="none")


class SumOverBatch(Margin):
    def with_error(self, scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        losses, error = super().with_error(scores, targets)
        return losses, error * len(scores)


class OtherLosses(Margin):
    def with_error(self, scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        losses, error = super().with_error(scores, targets)
        return losses / 2, error


class Smoothed(CrossEntropy):
    """Cross-entropy with some weight on every class; its error is not that of cross-entropy."""

    name: ClassVar[str] = "smoothed"

    def __call__(self, scores: Tensor, labels: Tensor) -> Tensor:
        return super().__call__(scores, labels) - 0.01 * scores.log_softmax(2).mean(2)


def test_one_from_outside_passes() -> None:
    check_loss(Margin)
    check_loss(Margin())


def test_a_loss_that_is_derived_from_cross_entropy_has_its_own_error() -> None:
    check_loss(Smoothed)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Averaged, r"returns shape \(3,\) for 6 samples"),
        (Single, "returns torch.float32 for scores of torch.float64"),
        (Shifting, "changes the scores or the labels in place"),
        (Restless, "returns other losses when it is called again"),
        (Overflowing, "is not finite for scores of -100 and 100 in torch.float32"),
        (Detached, "has no gradient"),
        (HalfDetached, "differs from finite differences"),
        (OverSubjects, "when another subject has other scores"),
        (OverSamples, "when another sample has other scores"),
        (Reversed, "a minimum that is not the labelled class"),
        (OfValues, "a minimum that is .* from the values"),
        (OfViews, "other images are nearer than other views"),
        (SumOverBatch, "with_error that gives an error other than"),
        (OtherLosses, "with_error that gives losses other than"),
        (TwoDimensional, r"fails for scores \(batch, subject, class\)"),
    ],
)
def test_what_a_loss_breaks_is_named(broken: type[Loss], message: str) -> None:
    with pytest.raises(AssertionError, match=f"loss 'margin' .*{message}"):
        check_loss(broken)
