"""Trained decoders as folders on disk."""
