"""What Prometheus and Alertmanager of a cluster of ours read, made from what is shipped: pure.

The shipped scrape configuration with another discovery and a shorter interval; the shipped rules with their durations
divided; the shipped routing with its times divided and with one receiver that is ours behind each of its names.
"""

from typing import Any, Final

from session_devtools.monitoring.promql import divide_duration

__all__ = ["alertmanager_config", "prometheus_config"]

Object = dict[str, Any]
COMPANION: Final = 9094
""" Its port, in the pod of all three. """
ALERTMANAGER: Final = 9093
PROMETHEUS: Final = 9090
AGENT: Final = 8429
_SCRAPE: Final = {"scrape_interval": "2s", "scrape_timeout": "2s"}
""" Not divided: a runner that is scraped too often measures nothing but its scrapes. """
_TIMES: Final = ("group_wait", "group_interval", "repeat_interval")


def prometheus_config(scrape: Object, *, rules: str) -> Object:
    """Return Prometheus' configuration with the shipped scrape configurations, and the rules' file by its path."""
    return {
        "global": {"evaluation_interval": "1s"},
        "rule_files": [rules],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ALERTMANAGER}"]}]}]},
        "scrape_configs": [_discovered(each) for each in scrape["scrape_configs"]],
    }


def _discovered(scrape: Object) -> Object:
    found = {field: value for field, value in scrape.items() if field != "kubernetes_sd_configs"}
    (discovery,) = scrape["kubernetes_sd_configs"]
    names = ",".join(discovery.get("namespaces", {}).get("names", ()))
    url = f"http://127.0.0.1:{COMPANION}/pods?namespaces={names}"
    return found | _SCRAPE | {"http_sd_configs": [{"url": url, "refresh_interval": "1s"}]}


def alertmanager_config(shipped: Object, *, by: int, namespaces: dict[str, str]) -> Object:
    """Return the shipped routing for a cluster of ours; `namespaces` are those that stand for the example's own."""
    receivers = [
        {"name": receiver["name"], "webhook_configs": [{"url": _url(receiver["name"]), "send_resolved": True}]}
        for receiver in shipped["receivers"]
    ]
    return shipped | {"receivers": receivers, "route": _route(shipped["route"], by, namespaces)}


def _url(receiver: str) -> str:
    return f"http://127.0.0.1:{COMPANION}/notify/{receiver}"


def _route(route: Object, by: int, namespaces: dict[str, str]) -> Object:
    found = route | {field: divide_duration(route[field], by) for field in _TIMES if field in route}
    if "matchers" in route:
        found["matchers"] = [_renamed(matcher, namespaces) for matcher in route["matchers"]]
    if "routes" in route:
        found["routes"] = [_route(below, by, namespaces) for below in route["routes"]]
    return found


def _renamed(matcher: str, namespaces: dict[str, str]) -> str:
    for name, ours in namespaces.items():
        if matcher == f'session_namespace="{name}"':
            return f'session_namespace="{ours}"'
    return matcher
