"""Sections of a protocol that have keys of their own."""
