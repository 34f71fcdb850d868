"""Layout of a store on disk: paths, arrays, chunks and metadata."""

__all__ = ["arrays", "chunk", "location", "zarr_metadata"]
