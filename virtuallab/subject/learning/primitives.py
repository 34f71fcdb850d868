r"""The pieces that alignment rules are sums of: one function, one equation each.

With the layer's input :math:`X` (N samples), forward weight :math:`W`, backward weight :math:`B`
and :math:`C = X^\top X / N`, each function returns the gradient of its objective with respect to
``B``, summed over features and positions and averaged over samples. There are no factors of one
half: a coefficient of the paper is twice ours for decay and null, and the same for amp.

References
----------
Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry", section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from virtuallab.subject.learning.layer_view import Local

if TYPE_CHECKING:
    from virtuallab.subject.network.synapse import Weight


def amp(at: Local) -> Weight:
    r"""Hebbian growth of ``B`` along ``W``.

    .. math:: -\tfrac1N \sum (XW) \circ (XB) \;\to\; -W^\top C
    """
    return -at.synapse.correlate(at.pre, at.projection, at.backward) / at.samples


def null(at: Local) -> Weight:
    r"""Bound on how strongly ``B`` drives the layer below.

    .. math:: \tfrac1N \lVert XWB \rVert^2 \;\to\; 2 W^\top C W B
    """
    down = at.synapse.reconstruct(at.projection, at.backward)
    return 2 * at.synapse.correlate(down, at.projection, at.backward) / at.samples


def decay(at: Local) -> Weight:
    r"""Forgetting of ``B``.

    .. math:: \lVert B \rVert^2 \;\to\; 2 B
    """
    return 2 * at.backward


def sparse(at: Local) -> Weight:
    r"""Bound on what ``B`` would carry upward of the layer's input. Not local.

    .. math:: \tfrac1N \lVert XB \rVert^2 \;\to\; 2 B C
    """
    up = at.synapse.project(at.pre, at.backward)
    return 2 * at.synapse.correlate(at.pre, up, at.backward) / at.samples


def self_(at: Local) -> Weight:
    r"""Pull of ``B`` along ``W`` itself. Not local: it reads another synapse's strength.

    .. math:: -\sum W \circ B \;\to\; -W^\top
    """
    return -at.forward


PRIMITIVES = {"decay": decay, "amp": amp, "null": null, "sparse": sparse, "self": self_}


def descend(at: Local, strengths: Mapping[str, float | torch.Tensor], *, mean: bool) -> Weight:
    """Gradient of a weighted sum of primitives.

    Equal to the sum of the functions above, at the price of one correlation for any two of amp,
    null and sparse: correlating is linear in each of its two signals.

    Parameters
    ----------
    at : Local
    strengths : mapping from primitive to float or Tensor
        Coefficients; tensors have one for each subject.
    mean : bool
        Divide what a convolution sums over its positions by their number.
    """
    share = 1 / at.samples / (at.positions if mean else 1)
    given = {name: c for name, c in strengths.items() if bool(torch.as_tensor(c).any())}
    step: Weight | None = None
    if "null" in given:
        sent = at.scale(2 * share * given["null"], at.projection)
        down = at.synapse.reconstruct(sent, at.backward)
        if "amp" in given:
            down = down - at.scale(share * given.pop("amp"), at.pre)
        step = at.synapse.correlate(down, at.projection, at.backward)
    up: list[torch.Tensor] = []
    if "sparse" in given:
        shown = at.scale(2 * share * given["sparse"], at.pre)
        up.append(at.synapse.project(shown, at.backward))
    if "amp" in given:
        up.append(at.scale(-share * given["amp"], at.projection))
    if up:
        grown = at.synapse.correlate(at.pre, sum(up[1:], up[0]), at.backward)
        step = grown if step is None else step + grown
    if "decay" in given:
        step = at.add(step, 2 * given["decay"], at.backward)
    if "self" in given:
        step = at.add(step, -given["self"], at.forward)
    return torch.zeros_like(at.backward) if step is None else step
