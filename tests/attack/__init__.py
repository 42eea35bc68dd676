"""Attacks on a running installation: what a tenant or a neighbour could do, beside sessions that must not notice."""
