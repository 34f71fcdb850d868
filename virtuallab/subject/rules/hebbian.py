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
    r"""Hebbian learning: what fires together grows together, and everything decays.

    .. math:: \Delta W \propto \langle x\, y \rangle - \alpha W, \qquad y = [Wx + b]_+

    With strong decay weights vanish and with weak decay they grow without bound along the first
    principal component; there is no setting between at which they rest (Oja's rule is the remedy).
    Units do not compete, so they come to respond to much the same thing.

    References
    ----------
    Hebb 1949, "The Organization of Behavior".
    """

    decay: NonNegativeFloat = setting(0.1, doc="Strength of forgetting.")

    def growth(self, layer: LayerView, name: str, network: Network) -> torch.Tensor:
        """Input times rectified response, less the decay."""
        return mean_product(layer, torch.relu(layer.post)) - layer.scale(self.decay, layer.weight)
