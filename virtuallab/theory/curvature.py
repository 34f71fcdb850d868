"""Step limit of any layer, measured on its activity with the functions of the rules.

The closed form does not hold for a convolution, where neighbouring positions overlap and the input
has borders. Its backward weight descends a quadratic too, so that the curvature is a symmetric map,
and power iteration finds its largest eigenvalue.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict, replace

import jaxtyping as jt
import torch
from torch import Tensor

from virtuallab.errors import VirtuallabWarning
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.primitives import alignment_gradient
from virtuallab.subject.network.signals import per_subject
from virtuallab.theory.coefficients import Coefficients
from virtuallab.theory.fixed_forward import largest_step

_MAX_ITERATIONS = 200


@torch.no_grad()
def largest_curvature(
    step: Callable[[LayerView], Tensor | None], layer: LayerView, *, tolerance: float = 1e-4
) -> jt.Float[Tensor, " subject"]:
    """Largest curvature of each subject's objective along the backward weight.

    Parameters
    ----------
    step : callable from LayerView to Tensor, (subject, ...)
        Gradient of the backward weight, affine in it: a rule's ``backward_step``.
    layer : LayerView
        The layer on one batch. The result does not depend on its backward weight.
    tolerance : float
        Relative change at which the iteration ends. The estimate, a Rayleigh quotient, approaches
        the eigenvalue from below.

    Returns
    -------
    Tensor, (subject,)

    Raises
    ------
    ValueError
        If the step does not change a backward weight.

    Warns
    -----
    VirtuallabWarning
        If the estimate still changes by more than the tolerance after 200 iterations.
    """

    def gradient(backward: Tensor) -> Tensor:
        value = step(replace(layer, backward_weight=backward))
        if value is None:
            raise ValueError("this rule has no step for the backward weight.")
        return value

    origin = torch.zeros_like(layer.backward_weight)
    constant = gradient(origin)
    # Random, since the weight may lie in the null space; the same for each subject.
    stream = torch.Generator().manual_seed(0)
    direction = torch.randn(origin.shape[1:], generator=stream, dtype=torch.float64)
    direction = direction.to(origin).expand_as(origin).clone()
    previous = torch.full((len(origin),), torch.inf, dtype=origin.dtype, device=origin.device)
    for _ in range(_MAX_ITERATIONS):
        norm = direction.flatten(1).square().sum(1).sqrt()
        direction = direction / per_subject(norm.clamp(min=1e-30), direction)
        image = gradient(direction) - constant
        curvature = (image * direction).flatten(1).sum(1)
        if bool(((curvature - previous).abs() <= tolerance * curvature.abs()).all()):
            break
        previous, direction = curvature, image
    else:
        warnings.warn(
            f"the largest curvature has not converged in {_MAX_ITERATIONS} iterations; the limit "
            "of the learning rate that follows from it may be too high",
            VirtuallabWarning,
            stacklevel=2,
        )
    return curvature


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
        A dense layer or a convolution on one batch.
    mean : bool
        Average over the positions of a convolution instead of summing, as published.
    momentum : float
    nesterov : bool
        Of the optimizer of the backward weights.

    Returns
    -------
    Tensor, (subject,)
        Infinite if the backward weight does not decay in any direction.
    """
    numbers = asdict(coefficients)
    curvature = largest_curvature(lambda view: alignment_gradient(view, numbers, mean=mean), layer)
    return largest_step(momentum, nesterov=nesterov) / curvature
