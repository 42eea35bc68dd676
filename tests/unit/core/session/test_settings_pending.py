"""A running pod whose runner is older than settings that somebody edited: it is said, and ends with the next pod."""

from unit.core.fake_cluster import FakeCluster, running


def pending(cluster: FakeCluster) -> str | None:
    """Return the condition's message."""
    found = [each for each in cluster.status().conditions if each.type == "SettingsPending"]
    return found[0].message if found else None


def outdated() -> FakeCluster:
    """A session whose runner does not go by all of its settings."""
    cluster = running()
    cluster.memory.takes_settings = False
    cluster.look()
    return cluster


def test_settings_that_the_runner_does_not_know_are_reported() -> None:
    """In a condition that says what to do, and in one event."""
    cluster = outdated()
    cluster.look()

    assert ("True", "RunnerOutdated") == cluster.says("SettingsPending")
    assert "take effect with the next pod" in (pending(cluster) or "")
    assert "wasession.dev/restart-at" in (pending(cluster) or "")
    assert ["Warning"] == [event.type for event in cluster.events if event.reason == "RunnerOutdated"]


def test_nothing_is_reported_of_a_runner_that_takes_them() -> None:
    """Nor of one that was not asked yet."""
    cluster = running()
    cluster.look()
    assert pending(cluster) is None
    cluster.memory.takes_settings = True
    cluster.look()

    assert pending(cluster) is None


def test_it_ends_when_the_runner_takes_them() -> None:
    """Somebody took the edit back."""
    cluster = outdated()
    cluster.memory.takes_settings = True
    cluster.look()

    assert pending(cluster) is None


def test_it_ends_with_the_pod() -> None:
    """The next one has them from its start."""
    cluster = outdated()
    cluster.delete_pod()
    cluster.gone()
    cluster.memory.takes_settings = None
    cluster.settle()
    cluster.run()
    cluster.say()
    cluster.look()

    assert pending(cluster) is None


def test_an_operator_that_has_just_started_leaves_it_as_it_is() -> None:
    """Until it has asked: else each restart would take it back and say it again."""
    cluster = outdated()
    cluster.restart_operator()
    cluster.say()
    cluster.look()

    assert pending(cluster) is not None
    assert 1 == len([event for event in cluster.events if event.reason == "RunnerOutdated"])
