"""Parts of the benchmark set: recordings, texts, baselines and checksums."""
