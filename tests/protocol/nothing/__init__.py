"""A package without plug-ins."""
