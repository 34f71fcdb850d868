"""Read-outs of activity: spike counts and fluorescence."""
