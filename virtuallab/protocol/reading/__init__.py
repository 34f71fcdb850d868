"""Protocol files: read, overridden, and written with values filled in."""
