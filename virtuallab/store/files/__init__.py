"""Files and folders that are written completely or not at all."""

__all__ = ["atomic_replace", "atomic_write", "digest", "lock"]
