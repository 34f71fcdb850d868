"""Commit records, digests and ownership of a store, and the detection of damage."""

__all__ = [
    "commit_records",
    "damage",
    "manifest",
    "ownership",
    "recovery",
    "repair_command",
    "static_files",
    "verification",
]
