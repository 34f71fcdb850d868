"""Oja's rule."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.registry import RULES
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.unsupervised import Unsupervised, mean_product, mean_response
from virtuallab.subject.network.network import Network


@RULES.register("oja")
@dataclass(frozen=True, kw_only=True)
class Oja(Unsupervised):
    r"""Oja's rule: Hebbian growth with a decay that keeps the norm of each unit's weights at one.

    .. math:: \Delta w_j \propto \langle x\, z_j \rangle - \langle z_j^2 \rangle\, w_j,
              \qquad z_j = w_j \cdot x

    At rest each unit's weights are the first principal component of its inputs (up to sign). Not to
    be confused with Sanger's rule, whose units take one component each.

    References
    ----------
    Oja 1982, "A simplified neuron model as a principal component analyzer".
    """

    def growth(self, layer: LayerView, name: str, network: Network) -> torch.Tensor:
        """Mean of input times linear response, less the weight times the mean squared response."""
        z = layer.projection
        power = mean_response(layer, z.square())
        each = power.view(*power.shape, *[1] * (layer.weight.dim() - 2))
        return mean_product(layer, z) - layer.weight * each
