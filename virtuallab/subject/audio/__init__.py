"""Sounds as stimuli: synthesised speech, noise, and cochleagrams, which networks see as images."""
