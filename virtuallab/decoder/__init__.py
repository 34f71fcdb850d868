"""The decoder: which rule was at work, from what a probe saw, and how sure one can be."""

from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.identify import identify, n_steps

__all__ = ["Analysis", "identify", "n_steps"]
