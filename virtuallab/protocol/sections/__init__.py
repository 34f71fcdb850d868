"""Sections of a protocol that have keys of their own."""

__all__ = ["compare", "design", "power", "rule_entry", "search", "training_length"]
