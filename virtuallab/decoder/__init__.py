"""The decoder: which rule was at work, from what a probe saw, and how sure one can be."""

from virtuallab.decoder.analysis import Analysis, Primary
from virtuallab.decoder.identify import identify

__all__ = ["Analysis", "Primary", "identify"]
