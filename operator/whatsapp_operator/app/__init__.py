"""The process: kopf handlers, settings, probes, metrics. The only layer that imports kopf."""
