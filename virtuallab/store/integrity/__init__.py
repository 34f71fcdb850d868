"""Commit records, digests and ownership of a store, and the detection of damage."""
