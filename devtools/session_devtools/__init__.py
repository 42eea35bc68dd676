"""What the local cluster, the demo, the benchmarks and the tests stand on, and which knows none of them.

`build` makes programs once into a cache, `images` makes the project's container images, `packages` installs Debian's.
The rest is small: running a command, saying how far it is, waiting, HTTP, kubectl (whose port-forward is the plugin's).
"""
