"""Reading of protocol files, overrides of their settings, and writing of tuned protocols."""

__all__ = ["contacts", "overrides", "read", "task_files", "tuned_text", "yaml"]
