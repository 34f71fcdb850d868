"""Results of a store as plain records, and what they amount to in sentences."""
