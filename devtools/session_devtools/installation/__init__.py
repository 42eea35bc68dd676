"""Operator and stand-in on any cluster, as the demo, the benchmarks and the end-to-end tests install them.

`constants` has the names that the manifests and the API fix.
"""
