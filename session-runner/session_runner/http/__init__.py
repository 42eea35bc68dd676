"""The runner's HTTP API: state, QR code, probes, metrics; one bearer token per scope."""
