"""The step limit of any layer, measured on its activity with the rules' own functions.

A convolution has no small second moment to take eigenvalues of: neighbouring positions overlap and
the field has borders. But its backward weight descends a quadratic too, so the curvature is a
symmetric map that can be applied, and power iteration finds its largest eigenvalue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import jaxtyping as jt
import torch
from torch import Tensor

from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.primitives import alignment_gradient
from virtuallab.subject.network.signals import per_subject
from virtuallab.theory.coefficients import Coefficients
from virtuallab.theory.fixed_forward import largest_step

_MOST_ITERATIONS = 200


@torch.no_grad()
def largest_curvature(
    step: Callable[[LayerView], Tensor | None], layer: LayerView, *, tolerance: float = 1e-4
) -> jt.Float[Tensor, " subject"]:
    """Largest curvature of each subject along the backward weight.

    Parameters
    ----------
    step : callable
        Gradient of the backward weight, affine in it: a rule's ``backward_step``.
    layer : LayerView
        The layer on one batch. The value of its backward weight does not matter.
    tolerance : float
        Relative change at which the iteration ends. The estimate rises to the eigenvalue from
        below, by Rayleigh's quotient.

    Returns
    -------
    Tensor, (subject,)

    Raises
    ------
    ValueError
        If the step does not change a backward weight.
    """

    def gradient(backward: Tensor) -> Tensor:
        found = step(replace(layer, backward_weight=backward))
        if found is None:
            raise ValueError("this rule has no step for the backward weight.")
        return found

    origin = torch.zeros_like(layer.backward_weight)
    constant = gradient(origin)
    # Random, since the weight itself may lie in the null space; the same for each subject.
    stream = torch.Generator().manual_seed(0)
    direction = torch.randn(origin.shape[1:], generator=stream, dtype=torch.float64)
    direction = direction.to(origin).expand_as(origin).clone()
    before = torch.full((len(origin),), torch.inf, dtype=origin.dtype, device=origin.device)
    for _ in range(_MOST_ITERATIONS):
        norm = direction.flatten(1).square().sum(1).sqrt()
        direction = direction / per_subject(norm.clamp(min=1e-30), direction)
        image = gradient(direction) - constant
        found = (image * direction).flatten(1).sum(1)
        if bool(((found - before).abs() <= tolerance * found.abs()).all()):
            break
        before, direction = found, image
    return found


def measured_limit(
    coefficients: Coefficients,
    layer: LayerView,
    *,
    mean: bool,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> jt.Float[Tensor, " subject"]:
    """Learning rate above which gradient descent of the backward weight diverges.

    For a dense layer this is :func:`virtuallab.theory.step_limit`.

    Parameters
    ----------
    coefficients : Coefficients
    layer : LayerView
        The layer on one batch; dense or convolution.
    mean : bool
        Whether a convolution's positions are averaged; as published they are summed.
    momentum : float
    nesterov : bool
        As of the optimizer of the backward weights.

    Returns
    -------
    Tensor, (subject,)
        Infinite where nothing pulls the backward weight back.
    """
    numbers = asdict(coefficients)
    found = largest_curvature(lambda view: alignment_gradient(view, numbers, mean=mean), layer)
    return largest_step(momentum, nesterov=nesterov) / found
