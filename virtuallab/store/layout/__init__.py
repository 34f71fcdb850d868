"""Where the parts of a store lie on disk, and in what form."""
