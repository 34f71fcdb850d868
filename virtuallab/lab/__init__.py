"""The laboratory: where subjects, probes, decoders and the store meet, and nowhere else."""
