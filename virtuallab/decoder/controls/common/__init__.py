"""The base class of controls, and the tests on which several of them are built."""
