"""What several figures need: panels with a caption, axes, the grid of layers."""
