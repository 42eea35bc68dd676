"""The objects of a session: their names and manifests, and what is read out of their JSON."""
