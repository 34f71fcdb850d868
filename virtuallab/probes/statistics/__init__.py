"""Statistics of a recording: what a decoder reads."""
