"""Workers of a Dask cluster, which is imported only if a scheduler is named."""
