"""Loads the page, probes it, and publishes what it found."""
