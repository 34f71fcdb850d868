"""Ways to train many networks: virtuallab's cohorts and what else one would write.

Each is a module with a class whose objects satisfy
:class:`~benchmarks.implementations.implementation.Implementation`. All train the same networks from
the same initial weights on the same images, which the losses of their first steps show.
"""
