"""Prometheus and Alertmanager around what is shipped for them: for the plain scrape configuration, the demo, the tests.

`scrape_config` turns PodMonitors into Prometheus' own form, as the Prometheus operator does; `acceleration` divides the
durations of rules, so that an alert of an hour can be seen in minutes; `stack` runs Debian's programs in a cluster of ours.
"""
