"""Parts of several figures: panels with a caption, axes, grid of layers."""
