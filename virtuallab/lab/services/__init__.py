"""What every command needs: workers, progress, files, resources."""
