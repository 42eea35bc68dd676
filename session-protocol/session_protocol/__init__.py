"""What the operator and the runner must agree on: one small pure module each, in both images.

Neither side imports the other; both import from here. Nothing in this package does I/O of its own accord, reads a
clock or starts anything, and what it imports is small: every session's pod pays for it in memory.
"""
