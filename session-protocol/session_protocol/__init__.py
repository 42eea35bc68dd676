"""What operator and runner have in common: what they must agree on, and what both need. One small module each, in both images.

Neither side imports the other; both import from here. The modules are pure, but for three that say so: `files` writes
a file, `logs` sets up logging, `bad_requests` knows the HTTP server that both use. None starts anything or reads a clock,
and what they import is small: every session's pod pays for it in memory.
"""
