"""How a learning signal reaches a layer: families of rules, one a file.

``returned``: an error comes back layer by layer. ``alignment``: so it does, and backward weights
learn. ``broadcast``: the output's error, or the target, reaches every layer directly.
``unsupervised``: no error reaches a hidden layer. ``exploration``: noise is tried, and what it
changed is compared. Rules with dynamics of their own are written on ``Rule`` itself.
"""
