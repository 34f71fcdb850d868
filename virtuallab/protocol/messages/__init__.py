"""Messages on faults of a protocol: the fault, the value found, and what to write instead."""

__all__ = ["explain", "places", "units", "yaml_lines", "yaml_mistakes"]
