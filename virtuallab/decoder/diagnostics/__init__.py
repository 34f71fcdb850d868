"""What a decoder relies on, how reliable it is, and what else it can estimate."""
