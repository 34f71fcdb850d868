"""Validation schemes: the strict one, by subject, and the published one, by layer."""
