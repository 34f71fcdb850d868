"""Reading of protocol files, overrides of their settings, and writing of tuned protocols."""
