"""Layout of a store on disk: paths, arrays, chunks and metadata."""
