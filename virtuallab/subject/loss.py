"""What subjects minimise: how far an answer is from the right one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import jaxtyping as jt
import torch
from torch import Tensor

from virtuallab.errors import UnknownName
from virtuallab.vocabulary import CROSS_ENTROPY, SQUARED_ERROR

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(
    scores: jt.Float[Tensor, "batch subject classes"], labels: Tensor
) -> jt.Float[Tensor, "batch subject"]:
    """Softmax cross-entropy of each sample in nats; labels ``(batch, subject)``."""
    losses = torch.nn.functional.cross_entropy(
        scores.flatten(0, 1), labels.reshape(-1), reduction="none"
    )
    return losses.view(scores.shape[:2])


def squared_error(
    scores: jt.Float[Tensor, "batch subject classes"], labels: Tensor
) -> jt.Float[Tensor, "batch subject"]:
    r"""Half the squared distance of each sample's scores from its one-hot target.

    .. math:: L = \tfrac12 \sum_k (z_k - y_k)^2, \qquad \partial L / \partial z = z - y

    The scores are taken as they are, without a softmax, so that the error at the output is linear
    in the answer and does not vanish where the answer is wrong and sure of itself. The sum over
    classes stands in the place of the published mean: a class adds the same, however many there
    are, and the error is of the size of cross-entropy's. Labels ``(batch, subject)``.

    References
    ----------
    Hui and Belkin 2021, "Evaluation of Neural Architectures Trained with Square Loss vs
    Cross-Entropy in Classification Tasks".
    """
    target = torch.nn.functional.one_hot(labels, scores.shape[2]).to(scores.dtype)
    return (scores - target).square().sum(2) / 2


_LOSSES: Final[Mapping[str, Loss]] = {CROSS_ENTROPY: cross_entropy, SQUARED_ERROR: squared_error}


def loss_called(name: str) -> Loss:
    """Find the loss of each sample by the name that protocols use.

    Raises
    ------
    UnknownName
        If there is none of this name.
    """
    if name not in _LOSSES:
        raise UnknownName("loss", name, _LOSSES)
    return _LOSSES[name]
