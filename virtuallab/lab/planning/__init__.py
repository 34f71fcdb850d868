"""From a protocol to the work it takes: validation, costs and warnings."""
