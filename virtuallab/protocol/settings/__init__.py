"""Settings of plug-ins: a value, a list or a distribution."""
