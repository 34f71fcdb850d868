"""How the way a rule teaches lies to backpropagation's, layer by layer.

Measured on a batch that no subject learns from, and aside: what is looked at here leaves no trace
in weights, running averages, memories or random streams.

References
----------
Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry", for the
angles of weights, projections and local gradients. The gradient angle here is the global one,
between what the forward weights follow and the true gradient of the loss, which theirs is not.
"""

from __future__ import annotations

from collections.abc import Sequence

import jaxtyping as jt
import torch
from torch import Tensor

from virtuallab.subject.learning.error_feedback import ReturnedError
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import Tape
from virtuallab.subject.network.population import PopulationLayer
from virtuallab.subject.network.synapse import PerSubject
from virtuallab.subject.rule import Rule


def angle(a: jt.Float[Tensor, "subject ..."], b: jt.Float[Tensor, "subject ..."]) -> PerSubject:
    """Angle in degrees between two arrays of each subject; NaN if one is zero."""
    u, v = (_unit(each) for each in (a, b))
    # Half the angle by its tangent: an arc cosine loses half of the digits near zero.
    return torch.rad2deg(2 * torch.atan2(_norm(u - v), _norm(u + v)))


def ratio(a: jt.Float[Tensor, "subject ..."], b: jt.Float[Tensor, "subject ..."]) -> PerSubject:
    """Norm of the first over the norm of the second."""
    return _norm(a.flatten(1).double()) / _norm(b.flatten(1).double())


def _unit(a: Tensor) -> Tensor:
    flat = a.flatten(1).double()
    return flat / _norm(flat).unsqueeze(1)


def _norm(flat: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(flat, dim=1)
    return length


def measure(
    rule: Rule, network: Network, stimuli: Tensor, labels: Tensor, layers: Sequence[str]
) -> dict[str, Tensor]:
    """Angles, norm ratios and sign agreement of each subject.

    Parameters
    ----------
    rule : Rule
    network : Network
    stimuli : Tensor, (batch, subject*channel, height, width)
    labels : Tensor, (batch, subject)
    layers : sequence of str
        Names of the layers to measure.

    Returns
    -------
    dict
        ``weight_angle``, ``projection_angle``, ``local_gradient_angle``, ``gradient_angle`` in
        degrees, ``weight_norm_ratio`` (backward over forward), ``gradient_norm_ratio`` (followed
        over true), ``sign_agreement`` (share of synapses): (subject, layer); and
        ``total_gradient_angle``: (subject,), over all parameters. NaN where a rule has no such
        thing.
    """
    with network.aside():
        losses = network.losses(network.scores(stimuli), labels).mean(0)
        true = network.gradients(losses)
    chosen = [network.layers[name] for name in layers]
    with network.aside():
        followed, tapes = _followed(rule, network, stimuli, labels)
        backward = _of_backward_weights(network, chosen, tapes)  # some are made for each batch
    places = [network.place(layer.weight) for layer in chosen]
    found = {
        "gradient_angle": [angle(followed[i], true[i]) for i in places],
        "gradient_norm_ratio": [ratio(followed[i], true[i]) for i in places],
        **backward,
    }
    whole = (torch.cat([g.flatten(1) for g in each], 1) for each in (followed, true))
    return {
        **{name: torch.stack(values, 1) for name, values in found.items()},
        "total_gradient_angle": angle(*whole),
    }


def _followed(
    rule: Rule, network: Network, stimuli: Tensor, labels: Tensor
) -> tuple[list[Tensor], dict[PopulationLayer, Tape]]:
    """What the parameters would follow, and what layers with backward weights saw."""
    if isinstance(rule, ReturnedError) and rule.feedback:
        _, gradients, sights, tapes = rule.returned(network, stimuli, labels, noting=True)
        with torch.no_grad():
            return rule.forward_steps(network, gradients, sights), tapes
    lesson = rule.lesson(network, stimuli, labels, rule.teaching_step)
    assert lesson.forward is not None
    return lesson.forward, {}


@torch.no_grad()
def _of_backward_weights(
    network: Network, layers: Sequence[PopulationLayer], tapes: dict[PopulationLayer, Tape]
) -> dict[str, list[Tensor]]:
    missing = torch.full((network.subjects,), torch.nan, dtype=torch.float64)
    found: dict[str, list[Tensor]] = {
        "weight_angle": [],
        "weight_norm_ratio": [],
        "sign_agreement": [],
        "projection_angle": [],
        "local_gradient_angle": [],
    }
    for layer in layers:
        seen = dict.fromkeys(found, missing.to(layer.weight.device))
        w, b = layer.weight.detach(), layer.backward_weight
        if b is not None:
            seen["weight_angle"] = angle(w, b)
            seen["weight_norm_ratio"] = ratio(b, w)
            seen["sign_agreement"] = (w.sign() == b.sign()).flatten(1).double().mean(1)
        if b is not None and layer in tapes:
            tape = tapes[layer]
            up = [network.of_samples(tape.synapse.project(tape.pre, each)) for each in (w, b)]
            seen["projection_angle"] = angle(*(each.transpose(0, 1) for each in up))
            if tape.down is not None and tape.error is not None:
                true = tape.synapse.reconstruct(tape.error, w)
                down = [network.of_samples(each) for each in (tape.down, true)]
                seen["local_gradient_angle"] = angle(*(each.transpose(0, 1) for each in down))
        for name, value in seen.items():
            found[name].append(value)
    return found
