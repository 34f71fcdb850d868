"""Base class of controls, and the tests that several of them share."""
