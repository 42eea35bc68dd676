"""The one seam to the world: API server, runners, lease, clock. Carries out what the core decides."""
