"""Hebbian learning with decay."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.unsupervised import Unsupervised, mean_product
from virtuallab.subject.network.network import Network


@RULES.register("hebbian")
@dataclass(frozen=True, kw_only=True)
class Hebbian(Unsupervised):
    r"""Hebbian learning: synapses grow with the product of input and response, and decay.

    .. math:: \Delta W \propto \langle x\, y \rangle - \alpha W, \qquad y = [Wx + b]_+

    With strong decay weights vanish, and with weak decay they grow without bound along the first
    principal component; no setting between has a fixed point. Oja's rule has one. Units do not
    compete, so their responses become similar.

    References
    ----------
    Hebb 1949, "The Organization of Behavior".
    """

    decay: NonNegativeFloat = setting(0.1, doc="Strength of forgetting.")

    def growth(self, layer: LayerView, name: str, network: Network) -> torch.Tensor:
        """Mean of input times rectified response, less the decay."""
        return mean_product(layer, torch.relu(layer.post)) - layer.scale(self.decay, layer.weight)
