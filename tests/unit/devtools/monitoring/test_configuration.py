"""What Prometheus and Alertmanager of a cluster of ours read."""

from session_devtools.monitoring.configuration import alertmanager_config, prometheus_config


def test_scraping_is_as_shipped_but_for_discovery_and_interval() -> None:
    """Relabelling, paths and labels are the file's."""
    discovery = [{"role": "pod", "namespaces": {"names": ["a", "b"]}}]
    shipped = {
        "job_name": "j",
        "kubernetes_sd_configs": discovery,
        "scrape_interval": "30s",
        "relabel_configs": [{"x": 1}],
    }

    (found,) = prometheus_config({"scrape_configs": [shipped]}, rules="/rules.yaml")["scrape_configs"]

    urls = [each["url"] for each in found["http_sd_configs"]]
    assert ["http://127.0.0.1:9094/pods?namespaces=a,b"] == urls
    assert {"job_name": "j", "relabel_configs": [{"x": 1}], "scrape_interval": "2s"}.items() <= found.items()
    assert "kubernetes_sd_configs" not in found


def test_routing_is_as_shipped_but_for_receivers_times_and_the_examples_namespace() -> None:
    """Each receiver's name is kept, so that a notification tells where it would have gone."""
    route = {"matchers": ['session_namespace="shop"', 'audience="tenant"'], "group_wait": "1m", "receiver": "shop"}
    inhibition = [{"source_matchers": ["a=b"]}]
    shipped = {
        "route": {"receiver": "platform", "repeat_interval": "4h", "routes": [route]},
        "receivers": [{"name": "shop", "email_configs": [{}]}],
        "inhibit_rules": inhibition,
    }

    found = alertmanager_config(shipped, by=20, namespaces={"shop": "e2e-1"})

    below = {"matchers": ['session_namespace="e2e-1"', 'audience="tenant"'], "group_wait": "3s", "receiver": "shop"}
    webhook = {"url": "http://127.0.0.1:9094/notify/shop", "send_resolved": True}
    assert {"receiver": "platform", "repeat_interval": "720s", "routes": [below]} == found["route"]
    assert [{"name": "shop", "webhook_configs": [webhook]}] == found["receivers"]
    assert inhibition == found["inhibit_rules"]
