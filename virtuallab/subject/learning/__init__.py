"""How a learning signal reaches a layer: families of rules, one file each.

``error_feedback``: an error returns layer by layer. ``alignment``: the same, and backward weights
learn. ``broadcast_error``: the output's error, or the target, reaches every layer directly.
``unsupervised``: no error reaches a hidden layer. ``perturbation``: noise is added, and the change
of the loss is correlated with it. Rules with dynamics of their own derive from ``Rule`` itself.
"""
