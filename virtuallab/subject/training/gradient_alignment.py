"""Angles between what a rule follows and the true gradient, layer by layer.

Measured on a batch that no subject learns from, and without side effects on weights, running
averages, memories or random streams.

References
----------
Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry", for the
angles of weights, projections and local gradients. The gradient angle here is between what the
forward weights follow and the true gradient of the loss, which theirs is not.
"""

from __future__ import annotations

from collections.abc import Sequence

import jaxtyping as jt
import torch
from torch import Tensor

from virtuallab.subject.learning.error_feedback import ErrorFeedback
from virtuallab.subject.network.layer import LayerTrace, PopulationLayer
from virtuallab.subject.network.network import Network
from virtuallab.subject.rule import Rule

_OF_BACKWARD_WEIGHTS = (
    *("weight_angle", "weight_norm_ratio", "sign_agreement"),
    *("projection_angle", "local_gradient_angle"),
)


def angle(
    a: jt.Float[Tensor, "subject ..."], b: jt.Float[Tensor, "subject ..."]
) -> jt.Float[Tensor, " subject"]:
    """Angle in degrees between two arrays of each subject; NaN if one is zero."""
    u, v = (_unit(each) for each in (a, b))
    # Half the angle by its tangent: an arc cosine loses half of the digits near zero.
    return torch.rad2deg(2 * torch.atan2(_norm(u - v), _norm(u + v)))


def norm_ratio(
    a: jt.Float[Tensor, "subject ..."], b: jt.Float[Tensor, "subject ..."]
) -> jt.Float[Tensor, " subject"]:
    """Norm of the first array over the norm of the second, of each subject."""
    return _norm(a.flatten(1).double()) / _norm(b.flatten(1).double())


def _unit(a: Tensor) -> Tensor:
    flat = a.flatten(1).double()
    return flat / _norm(flat).unsqueeze(1)


def _norm(flat: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(flat, dim=1)
    return length


def gradient_alignment(
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
        ``total_gradient_angle``: (subject,), over all parameters. NaN where it is not defined for a
        rule.
    """
    with network.state_restored():
        losses = network.losses(network.scores(stimuli), labels).mean(0)
        true = network.gradients(losses)
    chosen = [network.layers[name] for name in layers]
    with network.state_restored():
        followed, traces = _followed(rule, network, stimuli, labels)
        # Inside the block, since some backward weights are made for each batch.
        backward = [_of_backward_weight(network, layer, traces.get(layer)) for layer in chosen]
    places = [network.index_of(layer.weight) for layer in chosen]
    found = {
        "gradient_angle": [angle(followed[i], true[i]) for i in places],
        "gradient_norm_ratio": [norm_ratio(followed[i], true[i]) for i in places],
        **{name: [each[name] for each in backward] for name in _OF_BACKWARD_WEIGHTS},
    }
    whole = (torch.cat([g.flatten(1) for g in each], 1) for each in (followed, true))
    return {
        **{name: torch.stack(values, 1) for name, values in found.items()},
        "total_gradient_angle": angle(*whole),
    }


def _followed(
    rule: Rule, network: Network, stimuli: Tensor, labels: Tensor
) -> tuple[list[Tensor], dict[PopulationLayer, LayerTrace]]:
    """What the parameters would follow, and traces of the layers with backward weights."""
    if isinstance(rule, ErrorFeedback) and rule.feedback:
        returned = rule.return_error(network, stimuli, labels, record=True)
        with torch.no_grad():
            return rule.forward_steps(network, returned), returned.traces
    updates = rule.compute_updates(network, stimuli, labels, rule.first_forward_step)
    assert updates.forward is not None
    return updates.forward, {}


@torch.no_grad()
def _of_backward_weight(
    network: Network, layer: PopulationLayer, trace: LayerTrace | None
) -> dict[str, Tensor]:
    w, b = layer.weight.detach(), layer.backward_weight
    missing = torch.full((network.subjects,), torch.nan, dtype=torch.float64, device=w.device)
    found = dict.fromkeys(_OF_BACKWARD_WEIGHTS, missing)
    if b is None:
        return found
    found["weight_angle"] = angle(w, b)
    found["weight_norm_ratio"] = norm_ratio(b, w)
    found["sign_agreement"] = (w.sign() == b.sign()).flatten(1).double().mean(1)
    if trace is not None:
        up = (trace.synapse.project(trace.pre, each) for each in (w, b))
        found["projection_angle"] = _signal_angle(network, *up)
        if trace.down is not None and trace.error is not None:
            true = trace.synapse.reconstruct(trace.error, w)
            found["local_gradient_angle"] = _signal_angle(network, trace.down, true)
    return found


def _signal_angle(network: Network, a: Tensor, b: Tensor) -> Tensor:
    return angle(*(network.by_sample(each).transpose(0, 1) for each in (a, b)))
