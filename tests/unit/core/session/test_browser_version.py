"""The browser's version in status: what the pod's own runner reports, for as long as there is the pod."""

from unit.core.fake_cluster import FakeCluster, running


def say(cluster: FakeCluster, version: str | None) -> None:
    """The runner reports its browser's version, and the operator looks."""
    cluster.say("Connected", browser_version=version)
    cluster.tick(1)
    cluster.resync()


def test_what_the_runner_reports_is_shown() -> None:
    """One of an older release reports nothing."""
    cluster = running()
    say(cluster, None)
    before = cluster.status().browser_version
    say(cluster, "156.0.7204.49")

    assert (None, "156.0.7204.49") == (before, cluster.status().browser_version)


def test_it_stays_over_a_restart_of_the_operator_and_goes_with_the_pod() -> None:
    """The next pod may have another image; at rest nothing is written."""
    cluster = running()
    say(cluster, "156.0.7204.49")
    writes = cluster.status_writes
    cluster.keep_answering()
    cluster.resync()
    cluster.restart_operator()
    cluster.look_once()
    kept = cluster.status().browser_version
    assert writes == cluster.status_writes
    cluster.delete_pod()
    cluster.gone()
    cluster.resync()

    assert "156.0.7204.49" == kept
    assert cluster.status().browser_version is None
