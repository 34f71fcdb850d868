"""The decoder: which rule was at work, from what a probe saw, and how sure one can be."""

from virtuallab.decoder.analysis import Analysis, Primary

__all__ = ["Analysis", "Primary"]
