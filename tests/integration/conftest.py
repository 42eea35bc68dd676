"""A real API server for the tests of this folder, one for all of them."""

from local_cluster.testing import light_cluster, light_programs, make_namespace

__all__ = ["light_cluster", "light_programs", "make_namespace"]
