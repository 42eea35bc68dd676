"""A real single-node Kubernetes on one Debian machine, from packages alone."""
