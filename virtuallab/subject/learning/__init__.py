"""Families of rules by how a learning signal reaches a layer, one file each.

``error_feedback``: an error returns layer by layer. ``alignment``: the same, with backward weights
that learn. ``broadcast_error``: the output error, or the target, reaches every layer directly.
``unsupervised``: no error reaches hidden layers. ``perturbation``: noise is added and correlated
with the change of the loss. Rules of no family derive from ``Rule`` itself.
"""
