"""The API server: requests, errors, and what was seen of the cluster."""
