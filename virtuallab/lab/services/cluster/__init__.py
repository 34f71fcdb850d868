"""Workers of a Dask cluster. Imported only if a scheduler is named."""
