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

from virtuallab.subject.local import Local
from virtuallab.subject.synapse import Weight


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
