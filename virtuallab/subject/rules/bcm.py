"""Rule of Bienenstock, Cooper and Munro."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.fields import Fraction, NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.unsupervised import Unsupervised, mean_product, mean_response
from virtuallab.subject.network.network import Network


@RULES.register("bcm")
@dataclass(frozen=True, kw_only=True)
class BCM(Unsupervised):
    r"""BCM: responses below a threshold weaken a synapse, those above strengthen it.

    .. math:: \Delta W \propto \langle x\, y\,(y - \theta) \rangle - \alpha W, \qquad
              \theta \leftarrow (1 - \kappa)\,\theta + \kappa\, \langle y^2 \rangle, \qquad
              y = [Wx + b]_+

    The threshold slides with the mean squared response, and has to slide faster than the weights
    grow. Units become selective.

    References
    ----------
    Bienenstock, Cooper and Munro 1982, "Theory for the development of neuron selectivity".
    Intrator and Cooper 1992, "Objective function formulation of the BCM theory", for
    the form above.
    """

    sliding: Fraction = setting(0.1, doc="Share of the threshold that is replaced at each step.")
    decay: NonNegativeFloat = setting(0.0, doc="Strength of forgetting.")

    def growth(self, layer: LayerView, name: str, network: Network) -> torch.Tensor:
        """Mean of input times response times its distance from the threshold, less the decay."""
        y = torch.relu(layer.post)
        power = mean_response(layer, y.square())
        key = f"threshold of {name}"
        if key not in network.memory:
            network.memory[key] = power.clone()
        threshold = network.memory[key]
        threshold += layer.scale(self.sliding, power - threshold)
        return mean_product(layer, y * (y - layer.per_unit(threshold))) - layer.scale(
            self.decay, layer.weight
        )
