"""Hebbian learning with decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.layer_view import Local
from virtuallab.subject.learning.unsupervised import Unsupervised, mean_product

if TYPE_CHECKING:
    from virtuallab.subject.network.network import Network
    from virtuallab.subject.network.synapse import Weight


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

    def growth(self, at: Local, name: str, network: Network) -> Weight:
        """Input times rectified response, less the decay."""
        return mean_product(at, torch.relu(at.post)) - at.weigh(self.decay, at.forward)
