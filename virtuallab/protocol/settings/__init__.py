"""Settings of plug-ins: a value, a list or a distribution."""

__all__ = [
    "distributions",
    "kinds",
    "plugin_reader",
    "plugin_spec",
    "readers",
    "section",
    "setting_reader",
]
