"""Trained decoders as folders on disk."""

__all__ = ["metadata", "persistence", "validation"]
