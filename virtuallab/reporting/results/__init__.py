"""Results of a store as records, and sentences on them."""
