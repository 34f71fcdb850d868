"""Angles between the updates of a rule and the true gradient, layer by layer.

Measured on a batch that is not used for training, without side effects on weights, running
averages, memories or random streams.

References
----------
Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry", for the
angles of weights, projections and local gradients. Unlike theirs, the gradient angle is between the
update of the forward weights and the true gradient of the loss.
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

_BACKWARD_MEASURES = (
    *("weight_angle", "weight_norm_ratio", "sign_agreement"),
    *("projection_angle", "local_gradient_angle"),
)


def angle(
    a: jt.Float[Tensor, "subject ..."], b: jt.Float[Tensor, "subject ..."]
) -> jt.Float[Tensor, " subject"]:
    """Angle in degrees between two arrays of each subject; NaN if one is zero."""
    u, v = _unit_vector(a), _unit_vector(b)
    # From the tangent of half the angle: an arc cosine loses half of the digits near zero.
    return torch.rad2deg(2 * torch.atan2(_norm(u - v), _norm(u + v)))


def norm_ratio(
    a: jt.Float[Tensor, "subject ..."], b: jt.Float[Tensor, "subject ..."]
) -> jt.Float[Tensor, " subject"]:
    """Norm of the first array of each subject over the norm of the second."""
    return _norm(a.flatten(1).double()) / _norm(b.flatten(1).double())


def _unit_vector(a: Tensor) -> Tensor:
    flat = a.flatten(1).double()
    return flat / _norm(flat).unsqueeze(1)


def _norm(flat: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(flat, dim=1)
    return length


def gradient_alignment(
    rule: Rule, network: Network, stimuli: Tensor, labels: Tensor, layers: Sequence[str]
) -> dict[str, Tensor]:
    """Angles, norm ratios and sign agreement of each subject's updates and backward weights.

    Returns
    -------
    dict
        ``weight_angle``, ``projection_angle``, ``local_gradient_angle``, ``gradient_angle`` in
        degrees, ``weight_norm_ratio`` (backward over forward), ``gradient_norm_ratio`` (update over
        gradient), ``sign_agreement`` (fraction of synapses): (subject, layer); and
        ``total_gradient_angle``: (subject,), over all parameters. NaN where it is not defined, as
        for rules without backward weights.
    """
    with network.state_restored():
        _, gradients = network.loss_and_gradients(stimuli, labels)
    selected = [network.layers[name] for name in layers]
    with network.state_restored():
        updates, traces = _updates(rule, network, stimuli, labels)
        # Inside the block, since some rules set the backward weights for each batch.
        backward = [_backward_measures(network, each, traces.get(each)) for each in selected]
    indices = [network.index_of(layer.weight) for layer in selected]
    pairs = [(updates[index], gradients[index]) for index in indices]
    measured = {
        "gradient_angle": [angle(*pair) for pair in pairs],
        "gradient_norm_ratio": [norm_ratio(*pair) for pair in pairs],
        **{name: [each[name] for each in backward] for name in _BACKWARD_MEASURES},
    }
    total = (torch.cat([g.flatten(1) for g in each], 1) for each in (updates, gradients))
    return {
        **{name: torch.stack(values, 1) for name, values in measured.items()},
        "total_gradient_angle": angle(*total),
    }


def _updates(
    rule: Rule, network: Network, stimuli: Tensor, labels: Tensor
) -> tuple[list[Tensor], dict[PopulationLayer, LayerTrace]]:
    """Update of each parameter, and traces of the layers with backward weights."""
    if isinstance(rule, ErrorFeedback) and rule.feedback:
        returned = rule.return_error(network, stimuli, labels, record=True)
        with torch.no_grad():
            return rule.forward_steps(network, returned), returned.traces
    updates = rule.compute_updates(network, stimuli, labels, rule.first_forward_step)
    assert updates.forward is not None
    return updates.forward, {}


@torch.no_grad()
def _backward_measures(
    network: Network, layer: PopulationLayer, trace: LayerTrace | None
) -> dict[str, Tensor]:
    w, b = layer.weight.detach(), layer.backward_weight
    missing = torch.full((network.subjects,), torch.nan, dtype=torch.float64, device=w.device)
    measured = dict.fromkeys(_BACKWARD_MEASURES, missing)
    if b is None:
        return measured
    measured["weight_angle"] = angle(w, b)
    measured["weight_norm_ratio"] = norm_ratio(b, w)
    measured["sign_agreement"] = (w.sign() == b.sign()).flatten(1).double().mean(1)
    if trace is not None:
        projections = (trace.synapse.project(trace.pre, each) for each in (w, b))
        measured["projection_angle"] = _signal_angle(network, *projections)
        if trace.down is not None and trace.error is not None:
            true = trace.synapse.reconstruct(trace.error, w)
            measured["local_gradient_angle"] = _signal_angle(network, trace.down, true)
    return measured


def _signal_angle(network: Network, a: Tensor, b: Tensor) -> Tensor:
    return angle(*(network.by_sample(each).transpose(0, 1) for each in (a, b)))
