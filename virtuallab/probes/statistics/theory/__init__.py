"""Changes that theories of learning predict, which are a set of observables of their own."""
