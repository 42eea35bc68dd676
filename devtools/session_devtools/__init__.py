"""What the local cluster, the demo, the benchmarks and the tests stand on: it knows none of them, and no part of the product.

`build` makes programs once into a cache, `images` makes the project's container images, `packages` installs Debian's.
The rest is small: running a command, saying how far it is, waiting, talking to an API server.
"""
