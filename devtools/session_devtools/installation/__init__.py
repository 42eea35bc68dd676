"""Operator and stand-in on any cluster, as the demo, the benchmarks and the end-to-end tests install them.

`install` does it and returns the stand-in's `phone`; `transformers` put this run's images and authority into the
manifests; `constants` has the names that manifests and API fix; `browser` ends a session's browser, for who wants to see
it come back.
"""
