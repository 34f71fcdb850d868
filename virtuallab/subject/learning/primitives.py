r"""Primitives of alignment rules, one function and one equation each.

With the layer's input :math:`X` (N samples), forward weight :math:`W`, backward weight :math:`B`
and :math:`C = X^\top X / N`, each function returns the gradient of its objective with respect to
``B``, summed over features and positions and averaged over samples. There are no factors of one
half: the paper's coefficients are twice these for decay and null, and equal for amp.

References
----------
Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry", section 3.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from virtuallab.subject.learning.layer_view import LayerView


def amp(layer: LayerView) -> torch.Tensor:
    r"""Hebbian growth of ``B`` along ``W``.

    .. math:: -\tfrac1N \sum (XW) \circ (XB) \;\to\; -W^\top C
    """
    return -_correlate(layer, layer.pre, layer.projection) / layer.samples


def null(layer: LayerView) -> torch.Tensor:
    r"""Bound on the drive of the layer below by ``B``.

    .. math:: \tfrac1N \lVert XWB \rVert^2 \;\to\; 2 W^\top C W B
    """
    down = layer.synapse.reconstruct(layer.projection, layer.backward_weight)
    return 2 * _correlate(layer, down, layer.projection) / layer.samples


def decay(layer: LayerView) -> torch.Tensor:
    r"""Decay of ``B``.

    .. math:: \lVert B \rVert^2 \;\to\; 2 B
    """
    return 2 * layer.backward_weight


def sparse(layer: LayerView) -> torch.Tensor:
    r"""Bound on the response of ``B`` to the layer's input, which is not local.

    .. math:: \tfrac1N \lVert XB \rVert^2 \;\to\; 2 B C
    """
    up = layer.synapse.project(layer.pre, layer.backward_weight)
    return 2 * _correlate(layer, layer.pre, up) / layer.samples


def self_(layer: LayerView) -> torch.Tensor:
    r"""Growth of ``B`` along ``W`` itself, which is not local: it needs another synapse's strength.

    .. math:: -\sum W \circ B \;\to\; -W^\top
    """
    return -layer.weight


PRIMITIVES = {"decay": decay, "amp": amp, "null": null, "sparse": sparse, "self": self_}


def alignment_gradient(
    layer: LayerView, coefficients: Mapping[str, float | torch.Tensor], *, mean: bool
) -> torch.Tensor:
    """Gradient of a weighted sum of primitives with respect to the backward weight.

    Equal to the weighted sum of the functions above, with fewer correlations, since correlation is
    linear in each of its two signals.

    Parameters
    ----------
    layer : LayerView
    coefficients : mapping from name of a primitive to float or Tensor, (subject,)
    mean : bool
        Average over the positions of a convolution instead of summing.

    Returns
    -------
    Tensor, (subject, post, pre, ...)
    """
    share = 1 / layer.samples / (layer.positions if mean else 1)
    k = {name: c for name, c in coefficients.items() if bool(torch.as_tensor(c).any())}
    step: torch.Tensor | None = None
    if "null" in k:
        scaled = layer.scale(2 * share * k["null"], layer.projection)
        down = layer.synapse.reconstruct(scaled, layer.backward_weight)
        if "amp" in k:
            down = down - layer.scale(share * k["amp"], layer.pre)
        step = _correlate(layer, down, layer.projection)
    up: list[torch.Tensor] = []
    if "sparse" in k:
        scaled = layer.scale(2 * share * k["sparse"], layer.pre)
        up.append(layer.synapse.project(scaled, layer.backward_weight))
    if "amp" in k and "null" not in k:
        up.append(layer.scale(-share * k["amp"], layer.projection))
    if up:
        growth = _correlate(layer, layer.pre, sum(up[1:], up[0]))
        step = growth if step is None else step + growth
    if "decay" in k:
        step = layer.add(step, 2 * k["decay"], layer.backward_weight)
    if "self" in k:
        step = layer.add(step, -k["self"], layer.weight)
    return torch.zeros_like(layer.backward_weight) if step is None else step


def _correlate(layer: LayerView, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    return layer.synapse.correlate(x, z, layer.backward_weight)
