"""What operator and runner share: what they must agree on, and what both need, in small modules, in both images.

Neither side imports the other; both import from here. The modules are pure, with three exceptions: `files` writes
files, `logs` sets up logging, `bad_requests` uses aiohttp's server. None starts anything or reads a clock, and what
they import is small, because it costs memory in every session's pod.
"""
