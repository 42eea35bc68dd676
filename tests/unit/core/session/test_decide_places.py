"""The place of a session whose pod does not come up: given back after a time, and asked for again in turn."""

from dataclasses import replace

import pytest
from session_protocol.vocabulary import RunnerState
from unit.core.fake_cluster import FakeCluster, running
from unit.core.session.waiting_pods import GOOD, come_back, deleted, give_up, let_go, pass_time, pending
from whatsapp_operator.core.decision import CreateNetworkPolicy, CreatePod, CreatePVC, CreateSecret
from whatsapp_operator.core.network import RunnerNetwork


def test_a_place_is_given_back_when_its_pod_cannot_run() -> None:
    """After ten minutes, with the kubelet's words; then it waits outside, and the next one gets in."""
    cluster = pending()
    cluster.tick(1)
    cluster.apply("next")
    pass_time(cluster, 9)
    assert [] == deleted(cluster)
    pass_time(cluster, 1.5)
    assert ["PodStartTimeout"] == deleted(cluster)
    assert 1 == cluster.admission_round().usage["default"].admitted
    let_go(cluster)

    assert ("Queued", None) == (cluster.status().state, cluster.status().admission)
    assert ("False", "PodStartTimeout") == cluster.says("Admitted")
    assert ("False", "ImagePullBackOff") == cluster.says("Ready")
    for part in ("ImagePullBackOff: it says why", "in its turn", "quota default"):
        assert part in cluster.condition("Ready").message
    cluster.settle()
    assert ("True", "Admitted") == cluster.says("Admitted", "next")
    assert [*cluster.pods] == ["next"]


def test_it_asks_again_by_itself_and_says_why_it_waits() -> None:
    """The place is taken by then: told with what was wrong with its last pod. When it is free the session comes up."""
    cluster = pending()
    cluster.apply("next")
    pass_time(cluster, 10.5)
    cluster.gone()
    cluster.settle()
    pass_time(cluster, 2)

    assert ("False", "QuotaExceeded") == cluster.says("Admitted")
    assert "ImagePullBackOff: it says why" in cluster.condition("Admitted").message
    cluster.delete_session("next")
    cluster.gone("next")
    cluster.settle()
    cluster.say(name="sales")
    cluster.resync()
    assert ("True", "Connected") == cluster.says("Ready")
    assert cluster.status().requeue is None


def test_nobody_waits_and_it_is_tried_again_later_and_later() -> None:
    """One minute outside, then two, four, eight, and never more than ten; each try has its ten minutes."""
    cluster = pending()
    waits = []
    for _ in range(6):
        while "deletionTimestamp" not in cluster.pods["sales"]["metadata"]:
            cluster.tick(30)
            cluster.resync()
        began = cluster.now
        cluster.gone()
        while "sales" not in cluster.pods:
            cluster.tick(30)
            cluster.resync()
        waits.append((cluster.now - began).total_seconds() / 60)
        cluster.wait(reason="ImagePullBackOff")
        cluster.resync()

    assert [1, 2, 4, 8, 10, 10] == waits
    requeue = cluster.status().requeue
    assert requeue is not None
    assert 6 == requeue.count


def test_once_it_ran_the_count_begins_anew() -> None:
    """The record goes when the pod runs, not before."""
    cluster = pending()
    pass_time(cluster, 10.5)
    cluster.gone()
    pass_time(cluster, 2)
    assert cluster.status().requeue is not None
    cluster.run()
    cluster.resync()

    assert cluster.status().requeue is None


@pytest.mark.parametrize("change", ["edit", "restart", "relink"])
def test_an_edit_or_a_request_is_tried_at_once(change: str) -> None:
    """A person has mended it, and need not wait; a request that stood already ends nothing."""
    cluster = pending()
    cluster.annotate(restart_at="2026-11-22T17:00:00Z")
    cluster.look()
    cluster.gone()
    cluster.resync()
    cluster.schedule()
    cluster.wait(reason="ImagePullBackOff")
    for _ in range(3):
        give_up(cluster)
        come_back(cluster)
    give_up(cluster)
    assert "Queued" == cluster.status().state
    assert [] == [*cluster.pods]
    if change == "edit":
        cluster.apply(spec=GOOD)
    else:
        cluster.annotate(**{f"{change}_at": "2026-11-22T19:00:00Z"})
    cluster.resync()

    assert ["sales"] == [*cluster.pods]
    assert ("True", "Admitted") == cluster.says("Admitted")


@pytest.mark.parametrize("kind", [CreatePod, CreatePVC, CreateSecret, CreateNetworkPolicy])
def test_a_refused_creation_gives_the_place_back(kind: type) -> None:
    """A ResourceQuota, a LimitRange, a webhook: no pod was there, the words are the API server's, no command is needed."""
    cluster = FakeCluster()
    if kind is CreateNetworkPolicy:
        cluster.defaults = replace(cluster.defaults, network=RunnerNetwork(operator_namespace="operator"))
    cluster.set_quota(sessions=1)
    cluster.refuse = {kind}
    cluster.apply()
    cluster.tick(1)
    cluster.apply("next")
    pass_time(cluster, 9)
    assert cluster.status().admission is not None
    assert ("False", "Forbidden") == cluster.says("Ready")
    pass_time(cluster, 1.5)

    assert cluster.status().admission is None
    assert ("False", "PodStartTimeout") == cluster.says("Admitted")
    assert ("False", "Forbidden") == cluster.says("Ready")
    assert "exceeded quota: pods=10" in cluster.condition("Ready").message
    assert cluster.status("next").admission is not None

    cluster.refuse.clear()
    cluster.delete_session("next")
    pass_time(cluster, 2)
    cluster.settle()
    assert ["sales"] == [*cluster.pods]


@pytest.mark.parametrize("wait", ["ContainerCreating", "PodInitializing", "volume"])
def test_a_pod_of_which_nobody_says_that_it_cannot_run_has_longer(wait: str) -> None:
    """A large image that is pulled, a volume that is made: half an hour, and nothing is written meanwhile."""
    cluster = pending(wait=None if wait == "volume" else wait)
    if wait == "volume":
        cluster.pvcs["sales-profile"]["status"] = {"phase": "Pending"}
        late = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "SchedulerError",
            "message": "binding volumes: timeout",
        }
        cluster.pods["sales"]["status"]["conditions"] = [late]
    pass_time(cluster, 12)
    writes = cluster.writes
    pass_time(cluster, 16)
    assert ([], writes) == (deleted(cluster), cluster.writes)
    pass_time(cluster, 3)

    assert ["PodStartTimeout"] == deleted(cluster)


def test_a_linked_session_keeps_its_place_for_an_hour() -> None:
    """An outage of the registry gives no live account's place away."""
    cluster = running()
    cluster.delete_pod()
    cluster.gone()
    cluster.resync()
    cluster.schedule()
    cluster.wait(reason="ImagePullBackOff")
    pass_time(cluster, 58)
    assert [] == deleted(cluster)
    give_up(cluster)

    assert ["PodStartTimeout"] == deleted(cluster)
    assert "Queued" == cluster.status().state


def test_a_drained_session_has_its_time_from_the_drain_on() -> None:
    """Not from its reservation of days ago."""
    cluster = running(state=RunnerState.QR_PENDING)
    for _ in range(60):
        cluster.tick(60)
        cluster.keep_answering()
        cluster.resync()
    cluster.pods["sales"]["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    cluster.resync()
    cluster.delete_pod()
    cluster.gone()
    cluster.resync()
    cluster.wait(reason="ImagePullBackOff")
    pass_time(cluster, 9)

    assert [] == deleted(cluster)


def test_the_next_pod_has_some_time_of_its_own() -> None:
    """An edit in the tenth minute: the pod that follows is not given up a moment later."""
    cluster = pending()
    pass_time(cluster, 9.5)
    cluster.apply(spec=GOOD)
    cluster.resync()
    let_go(cluster)
    cluster.schedule()
    cluster.wait(reason="ErrImagePull")
    pass_time(cluster, 1.5)
    assert ["PodOutdated"] == deleted(cluster)
    cluster.run()
    pass_time(cluster, 30)

    assert ["PodOutdated"] == deleted(cluster)


def test_a_pod_that_starts_while_it_is_given_up_stays() -> None:
    """Between the record and the deletion its image came: it runs, and the record goes."""
    cluster = pending()
    cluster.tick(601)
    cluster.look_once()
    assert cluster.status().requeue is not None
    cluster.run()
    cluster.resync()

    assert [] == deleted(cluster)
    assert (None, True) == (cluster.status().requeue, cluster.status().admission is not None)


def test_a_restarted_operator_goes_on_where_it_was() -> None:
    """All of it is in status: how long the pod has been waited for, and how long the session waits outside."""
    cluster = pending()
    for _ in range(20):
        cluster.tick(31)
        cluster.restart_operator()
        cluster.resync()
    assert ["PodStartTimeout"] == deleted(cluster)
    cluster.gone()
    cluster.restart_operator()
    cluster.resync()
    assert "Queued" == cluster.status().state
    writes = cluster.writes
    cluster.restart_operator()
    cluster.resync()
    assert writes == cluster.writes


def test_a_clock_that_was_set_keeps_nobody_outside() -> None:
    """A wait that is longer than any given ends at once, and its new place is not taken for the old one."""
    cluster = pending()
    pass_time(cluster, 10.5)
    cluster.gone()
    cluster.resync()
    cluster.tick(-7200)
    cluster.resync()
    cluster.resync()

    assert ["sales"] == [*cluster.pods]
    assert cluster.status().admission is not None
    pass_time(cluster, 3)
    assert 1 == len(deleted(cluster))


def test_an_api_server_whose_clock_is_ahead_keeps_no_place() -> None:
    """Its stamps of the pod and of the claim's deletion lie in the future."""
    cluster = pending()
    cluster.pods["sales"]["metadata"]["creationTimestamp"] = "2026-11-22T20:00:00Z"
    pass_time(cluster, 10.5)
    assert ["PodStartTimeout"] == deleted(cluster)

    other = running()
    other.pvcs["sales-profile"]["metadata"]["deletionTimestamp"] = "2026-11-22T20:00:00Z"
    other.gone()
    other.resync()
    assert ("False", "ClaimTerminating") == other.says("Ready")
    assert other.status().admission is None


def test_a_claim_that_terminates_keeps_its_place_for_a_minute() -> None:
    """Whoever deletes it to begin anew finds the place; after that it is others'."""
    cluster = running()
    cluster.pvcs["sales-profile"]["metadata"]["deletionTimestamp"] = "2026-11-22T18:00:05Z"
    cluster.gone()
    cluster.resync()
    assert cluster.status().admission is not None
    due = cluster.decide().requeue_at
    assert due is not None
    cluster.now = due
    cluster.resync()

    assert ("False", "ClaimTerminating") == cluster.says("Ready")
    assert (None, 0) == (cluster.status().admission, cluster.admission_round().usage["default"].admitted)


def test_a_node_that_refuses_each_pod_gives_the_place_back() -> None:
    """No pod lasts until it runs: in the node's words, and tried again in turn."""
    cluster = pending(wait=None)
    for _ in range(80):
        if "sales" in cluster.pods:
            cluster.pods["sales"]["status"] |= {
                "phase": "Failed",
                "reason": "OutOfcpu",
                "message": "Pod was rejected: no CPU",
            }
            cluster.resync()
            cluster.gone()
        cluster.tick(15)
        cluster.resync()
        if cluster.status().admission is None:
            break

    assert ("Queued", None) == (cluster.status().state, cluster.status().admission)
    assert "no CPU" in cluster.condition("Admitted").message
    cluster.tick(61)
    cluster.settle()
    assert ["sales"] == [*cluster.pods]
    assert ("True", "Admitted") == cluster.says("Admitted")


def test_a_suspended_session_forgets_that_it_waits() -> None:
    """Whoever resumes it begins anew."""
    cluster = pending()
    pass_time(cluster, 10.5)
    cluster.gone()
    cluster.resync()
    cluster.apply(spec={"operatingMode": "Suspended"})
    cluster.resync()

    assert (None, "Suspended") == (cluster.status().requeue, cluster.status().state)


def test_waiting_outside_writes_nothing() -> None:
    """The time of the next try stands in the message and changes with nothing else."""
    cluster = pending()
    for _ in range(3):
        give_up(cluster)
        writes = cluster.status_writes
        while "sales" not in cluster.pods:
            assert writes == cluster.status_writes
            cluster.tick(6)
            cluster.resync()
        come_back(cluster)


def test_a_session_without_a_place_gives_none_back() -> None:
    """It waits in the queue, for however long."""
    cluster = FakeCluster()
    cluster.set_quota(sessions=0)
    cluster.apply()
    pass_time(cluster, 120)

    assert ("False", "QuotaExceeded") == cluster.says("Admitted")
    assert cluster.status().requeue is None
