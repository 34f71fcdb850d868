"""Conformance check of losses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from virtuallab.registry import LOSSES
from virtuallab.subject.loss import Loss
from virtuallab.testing.plugin import broken, plugin_instance

_BATCH, _SUBJECTS, _CLASSES = 6, 3, 4
_DIFFERENCE = 1e-6
_TOLERANCE = 1e-6
_NEAR = 0.1
_STEPS, _RATE = 500, 0.1  # of gradient descent on the scores


def check_loss(loss: str | type[Loss] | Loss) -> None:
    """Check that a loss is one number for each sample, and that its gradient raises the accuracy.

    Losses have the shape (batch, subject) and the precision of the scores, repeat themselves, leave
    their arguments unchanged, and are finite for scores of 100. The loss of a sample depends on the
    scores and the target of this sample alone, or on those of the subject's batch if the targets
    are views. Its gradient equals finite differences (to 1e-6), and its ``with_error`` gives the
    same losses and their gradient. Gradient descent on the scores ends at the labelled classes, at
    the values, or with each view nearest to the other of its image.

    Parameters
    ----------
    loss : str, type or Loss
        A registered name, a class (both with default settings), or an instance.

    Raises
    ------
    AssertionError
        With what the loss breaks.
    """
    made: Loss = plugin_instance(loss, LOSSES, Loss)
    stream = torch.Generator().manual_seed(1)
    scores = torch.randn((_BATCH, _SUBJECTS, _CLASSES), generator=stream, dtype=torch.float64)
    labels = torch.randint(_CLASSES, (_BATCH, _SUBJECTS), generator=stream)
    if made.targets == "values":
        labels = torch.randn((_BATCH, _SUBJECTS, _CLASSES), generator=stream, dtype=torch.float64)
    _check_values(made, scores, labels)
    _check_gradient(made, scores, labels)
    _check_error(made, scores, labels)
    _check_independence(made, scores, labels)
    _check_descent(made, scores, labels)


def _check_values(loss: Loss, scores: Tensor, labels: Tensor) -> None:
    for dtype in (torch.float64, torch.float32):
        given = scores.to(dtype), labels.to(dtype if labels.is_floating_point() else labels.dtype)
        kept = given[0].clone(), given[1].clone()
        losses = _losses(loss, *given)
        if losses.shape != (_BATCH, _SUBJECTS):
            broken(
                "loss",
                loss,
                f"returns shape {tuple(losses.shape)} for {_BATCH} samples of {_SUBJECTS} "
                f"subjects; expected ({_BATCH}, {_SUBJECTS}). Do not average over samples",
            )
        if losses.dtype != dtype:
            broken("loss", loss, f"returns {losses.dtype} for scores of {dtype}")
        if not all(torch.equal(a, b) for a, b in zip(given, kept, strict=True)):
            broken("loss", loss, "changes the scores or the labels in place")
        if not torch.equal(losses, _losses(loss, *given)):
            broken("loss", loss, "returns other losses when it is called again")
        large = 100 * scores.sign().to(dtype)
        if not torch.isfinite(_losses(loss, large, given[1])).all():
            broken("loss", loss, f"is not finite for scores of -100 and 100 in {dtype}")


def _check_gradient(loss: Loss, scores: Tensor, labels: Tensor) -> None:
    found = _gradient(loss, scores, labels)
    if not torch.isfinite(found).all():
        broken("loss", loss, "has a gradient that is not finite")
    expected = torch.empty_like(scores)
    for index in range(scores.numel()):
        shift = torch.zeros_like(scores)
        shift.view(-1)[index] = _DIFFERENCE
        above, below = (_losses(loss, scores + sign * shift, labels).sum() for sign in (1, -1))
        expected.view(-1)[index] = (above - below) / (2 * _DIFFERENCE)
    apart = float((found - expected).abs().max())
    if apart > _TOLERANCE * max(1.0, float(expected.abs().max())):
        broken(
            "loss",
            loss,
            f"has a gradient that differs from finite differences by up to {apart:.1e}. Compute "
            "it with torch operations alone, and detach nothing",
        )


def _check_error(loss: Loss, scores: Tensor, labels: Tensor) -> None:
    losses, error = loss.with_error(scores, labels)
    expected, gradient = Loss.with_error(loss, scores, labels)
    for name, found, wanted in (("losses", losses, expected), ("an error", error, gradient)):
        if found.shape != wanted.shape or not torch.allclose(found, wanted):
            broken("loss", loss, f"has a with_error that gives {name} other than its call")


def _check_independence(loss: Loss, scores: Tensor, labels: Tensor) -> None:
    others, classes = scores.clone(), labels.clone()
    others[0, 1, 0] += 3.0
    classes[0, 1] = (classes[0, 1] + 1) % _CLASSES
    changed = _losses(loss, others, classes) != _losses(loss, scores, labels)
    changed[0, 1] = False
    if bool(changed[:, [0, 2]].any()):
        broken("loss", loss, "gives other losses when another subject has other scores and labels")
    if bool(changed.any()) and loss.targets != "views":
        broken("loss", loss, "gives other losses when another sample has other scores and labels")


def _check_descent(loss: Loss, scores: Tensor, labels: Tensor) -> None:
    current = scores
    for _ in range(_STEPS):
        current = current - _RATE * _gradient(loss, current, labels)
    if loss.targets == "values":
        apart = float((current - labels).abs().max())
        if apart > _NEAR:
            broken("loss", loss, f"has a minimum that is {apart:.2g} from the values")
        return
    if loss.targets == "views":
        found = torch.nn.functional.normalize(current.transpose(0, 1), dim=2)
        similar = (found @ found.transpose(1, 2)).masked_fill(torch.eye(_BATCH) > 0, -2.0)
        if not torch.equal(similar.argmax(2), _other_views().expand(_SUBJECTS, -1)):
            broken("loss", loss, "has a minimum at which other images are nearer than other views")
        return
    accuracy = float((current.argmax(2) == labels).double().mean())
    if accuracy < 1:
        broken(
            "loss",
            loss,
            f"has a minimum that is not the labelled class: after {_STEPS} steps of gradient "
            f"descent on the scores the accuracy is {accuracy:.2f}",
        )


def _other_views() -> Tensor:
    """Sample with the other view of the image of each sample."""
    return torch.arange(_BATCH).roll(_BATCH // 2)


def _losses(loss: Loss, scores: Tensor, labels: Tensor) -> Tensor:
    try:
        found: Any = loss(scores, labels)
    except Exception as error:
        text = f"fails for scores (batch, subject, class): {type(error).__name__}: {error}"
        broken("loss", loss, text)
    if not isinstance(found, Tensor):
        broken("loss", loss, f"returns a {type(found).__name__}, not a tensor")
    return found


def _gradient(loss: Loss, scores: Tensor, labels: Tensor) -> Tensor:
    leaf = scores.clone().requires_grad_()
    losses = _losses(loss, leaf, labels)
    if not losses.requires_grad:
        broken("loss", loss, "has no gradient with respect to the scores")
    (found,) = torch.autograd.grad(losses.sum(), leaf)
    return found
