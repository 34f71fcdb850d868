"""Figures, one file each: the data, the drawing, the caption and the text alternative."""
