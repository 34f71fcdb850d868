"""Sign symmetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from virtuallab.fields import PositiveFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.error_feedback import ErrorFeedback
from virtuallab.subject.learning.locality import ErrorReturn, Need
from virtuallab.subject.network.layer import PopulationLayer
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.signals import per_subject
from virtuallab.subject.rule import GradientAngle


@RULES.register("sign_symmetry")
@dataclass(frozen=True, kw_only=True)
class SignSymmetry(ErrorFeedback):
    r"""Sign symmetry: the backward weight has the forward weight's signs, and other magnitudes.

    .. math:: B_l = |M_l| \circ \mathrm{sign}(W_l)^\top

    with :math:`M` the same number everywhere (*uniform*: the initial standard deviation of the
    layer), drawn once from the forward weights' initialiser (*fixed*), or drawn anew for every
    batch (*batchwise*: Gaussian, with that standard deviation). Not local: a synapse would have to
    know the sign of another. The rule shows how little of a weight has to be transported.

    References
    ----------
    Liao, Leibo and Poggio 2016, "How Important is Weight Symmetry in Backpropagation?".
    Xiao et al. 2019, "Biologically-plausible learning algorithms can scale to large datasets".
    """

    feedback = True
    needs = (Need.INPUT, Need.FORWARD_SIGNS)
    gradient_angle = GradientAngle(initial=(30.0, 40.0), trained=(30.0, 38.0))
    error_return = ErrorReturn.FORWARD_SIGNS

    magnitudes: Literal["uniform", "fixed", "batchwise"] = setting(
        "uniform", doc="Magnitudes of the backward weights."
    )
    gain: PositiveFloat = setting(1.0, doc="Their scale, relative to the initial weights'.")

    def feedback_weight(self, layer: PopulationLayer, network: Network, name: str) -> torch.Tensor:
        """Magnitudes with the signs of the forward weight."""
        assert layer.backward_weight is not None
        kept, weight = f"magnitudes of {name}", layer.weight.detach()
        if kept not in network.memory:
            initial = layer.backward_weight
            root_mean_square = initial.square().flatten(1).mean(1).sqrt()
            network.memory[kept] = (
                initial.abs()
                if self.magnitudes == "fixed"
                else per_subject(root_mean_square, initial)
            )
        size = per_subject(self.gain, weight) * network.memory[kept]
        if self.magnitudes == "batchwise":
            size = size * network.streams.normal(weight.shape[1:], weight)
        return torch.copysign(size, weight)
