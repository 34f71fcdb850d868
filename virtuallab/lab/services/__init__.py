"""Services that every command uses: workers, progress, files, resources."""
