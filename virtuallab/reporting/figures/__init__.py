"""Figures, one file each: data, drawing, caption and text alternative."""
