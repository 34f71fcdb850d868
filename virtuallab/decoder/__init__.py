"""The decoder: which rule was at work, from what a probe saw, and how sure one can be."""

from virtuallab.decoder.analysis import Analysis

__all__ = ["Analysis"]
