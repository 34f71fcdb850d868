"""Accuracy of a linear read-out of a hidden layer, for tasks that are learned without labels."""

from __future__ import annotations

import jaxtyping as jt
import torch
from torch import Tensor, nn

from virtuallab.subject.network.network import Network
from virtuallab.subject.task import Images

_BATCH_SIZE = 128
_RIDGE = 1e-3  # penalty, as a fraction of the mean variance of a unit


def readout_accuracy(
    network: Network, path: str, train: Images, validation: Images
) -> jt.Float[Tensor, " subject"]:
    """Accuracy of a ridge regression of the classes on the responses of a layer.

    Fitted to the training images, and measured on the validation images. The population has to be
    in evaluation mode.

    Parameters
    ----------
    network : Network
    path : str
        Module whose input is read out.
    train, validation : Images

    Returns
    -------
    Tensor, (subject,)
        NaN where responses are not finite.
    """
    x, y = _responses(network, path, train), nn.functional.one_hot(train.labels).double()
    mean, offset = x.mean(1, keepdim=True), y.mean(0)
    centred = x - mean
    gram = centred.transpose(1, 2) @ centred
    penalty = _RIDGE * gram.diagonal(dim1=1, dim2=2).mean(1) + torch.finfo(torch.float64).tiny
    gram.diagonal(dim1=1, dim2=2).add_(penalty[:, None])
    weights = torch.linalg.solve_ex(gram, centred.transpose(1, 2) @ (y - offset))[0]
    scores = (_responses(network, path, validation) - mean) @ weights + offset
    right: Tensor = (scores.argmax(2) == validation.labels).double().mean(1)
    right[~scores.isfinite().all(2).all(1)] = torch.nan
    return right


def _responses(
    network: Network, path: str, images: Images
) -> jt.Float[Tensor, "subject image unit"]:
    """Input of a module for all images."""
    seen: list[Tensor] = []
    module = network.population.get_submodule(path)
    hook = module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    try:
        for first in range(0, len(images.labels), _BATCH_SIZE):
            stimuli = images.stimuli[first : first + _BATCH_SIZE]
            network.scores(stimuli.repeat(1, network.subjects, 1, 1))
    finally:
        hook.remove()
    responses = torch.cat(seen).double()
    return responses.view(len(responses), network.subjects, -1).transpose(0, 1)
