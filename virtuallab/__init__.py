"""A virtual electrophysiology laboratory."""
