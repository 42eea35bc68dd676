"""The pod of a session, as it is sent to the API server."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from session_protocol.environment import Variable
from session_protocol.vocabulary import LinkMethod, OnLogout
from session_runner.settings import read_settings
from session_runner.states.hold import Start
from strategies import session_specs
from support.facts import T0
from unit.core.fake_cluster import DEFAULTS
from unit.core.objects.pods import UID, container, environment, pod, session
from whatsapp_operator.api.conditions import Condition, ConditionStatus
from whatsapp_operator.api.session import SessionStatus
from whatsapp_operator.core.model import Defaults, KeyID
from whatsapp_operator.core.objects import names
from whatsapp_operator.core.objects.container import SCRATCH
from whatsapp_operator.core.objects.pod import pod_manifest, template_hash


def test_it_is_a_bare_pod_that_belongs_to_the_session() -> None:
    """Not restarted in place, found by labels, reached by its name."""
    manifest = pod()

    assert ("v1", "Pod", "sales", "shop") == (
        manifest["apiVersion"],
        manifest["kind"],
        manifest["metadata"]["name"],
        manifest["metadata"]["namespace"],
    )
    assert [names.owner_reference(session())] == manifest["metadata"]["ownerReferences"]
    assert names.labels(session()).items() <= manifest["metadata"]["labels"].items()
    assert "default" == manifest["metadata"]["labels"]["wasession.dev/quota"]
    assert "key-1" == manifest["metadata"]["labels"]["wasession.dev/key-id"]
    assert "Never" == manifest["spec"]["restartPolicy"]
    assert ("sales", "whatsapp-sessions") == (manifest["spec"]["hostname"], manifest["spec"]["subdomain"])
    assert manifest["spec"]["terminationGracePeriodSeconds"] > 45


def test_it_passes_the_restricted_pod_security_standard() -> None:
    """Each of the standard's demands, and a read-only root beside."""
    manifest = pod()
    whole, inside = manifest["spec"]["securityContext"], container(manifest)["securityContext"]

    assert (True, 10001, 10001, 10001) == (
        whole["runAsNonRoot"],
        whole["runAsUser"],
        whole["runAsGroup"],
        whole["fsGroup"],
    )
    assert {"type": "RuntimeDefault"} == whole["seccompProfile"]
    assert {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    } == inside
    kinds = {kind for volume in manifest["spec"]["volumes"] for kind in volume if kind != "name"}
    assert {"persistentVolumeClaim", "secret", "emptyDir"} == kinds
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & manifest["spec"].keys()


def test_it_has_no_way_to_the_api_server() -> None:
    """No service account token, and no list of the namespace's Services in its environment."""
    assert (False, False) == (pod()["spec"]["automountServiceAccountToken"], pod()["spec"]["enableServiceLinks"])


def test_all_amounts_are_always_there() -> None:
    """Also when a person wrote one."""
    assert {
        "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "128Mi"},
        "limits": {"cpu": "1", "memory": "256Mi", "ephemeral-storage": "2Gi"},
    } == container(pod({"resources": {"limits": {"memory": "256Mi"}}}))["resources"]


def test_a_default_for_the_disk_makes_no_running_pod_outdated() -> None:
    """The recorded hashes hold it to that; what a person writes is an edit, as for memory."""
    default, written = pod(), pod({"resources": {"limits": {"ephemeralStorage": "3Gi"}}})

    assert (
        default["metadata"]["annotations"]["wasession.dev/made-from"]
        != (written["metadata"]["annotations"]["wasession.dev/made-from"])
    )
    assert "3Gi" == container(written)["resources"]["limits"]["ephemeral-storage"]


def test_every_mount_has_a_volume_and_every_folder_a_limit() -> None:
    """The profile on the claim, the tokens readable for the group, the rest limited scratch."""
    manifest = pod()
    volumes = {volume["name"]: volume for volume in manifest["spec"]["volumes"]}
    mounts = {mount["name"]: mount for mount in container(manifest)["volumeMounts"]}

    assert volumes.keys() == mounts.keys()
    assert {"claimName": "sales-profile"} == volumes["profile"]["persistentVolumeClaim"]
    assert 0o440 == volumes["tokens"]["secret"]["defaultMode"]
    assert mounts["tokens"]["readOnly"]
    assert all("sizeLimit" in volumes[scratch.name]["emptyDir"] for scratch in SCRATCH)
    assert {"/tmp", "/dev/shm", "/home/runner", "/cache"} == {scratch.path for scratch in SCRATCH}
    assert "Memory" == volumes["shm"]["emptyDir"]["medium"]


def test_an_existing_claim_is_mounted_as_it_is() -> None:
    """The person's claim, by its name."""
    volumes = {volume["name"]: volume for volume in pod({"profile": {"existingClaim": "theirs"}})["spec"]["volumes"]}

    assert {"claimName": "theirs"} == volumes["profile"]["persistentVolumeClaim"]


def test_the_runner_reads_its_environment_as_it_is_meant() -> None:
    """The two halves of the project meet: what the operator writes, the runner's own settings parse."""
    spec = {
        "link": {"method": "PairingCode", "maxRounds": 7, "onLogout": "Wait"},
        "timeouts": {
            "startup": "90s",
            "launch": "1m1s",
            "protocol": "1500ms",
            "connectionCheck": "2h",
            "healthCheck": "20s",
        },
    }
    defaults = Defaults(
        runner_image="r:1",
        page_url="https://web.standin.localhost:8443/",
        allowed_hosts="web.standin.localhost,static.standin.localhost",
        key_id=KeyID("key-1"),
        extra_ca="PEM",
    )
    manifest = pod(spec, defaults=defaults, relink_at="2026-11-22T18:00:00Z")

    read = read_settings(environment(manifest) | {"POD_UID": "pod-1"})

    assert ("https://web.standin.localhost:8443/", UID, 8080) == (read.url, read.session_uid, read.port)
    assert read.allowed_hosts.allows("static.standin.localhost")
    assert (LinkMethod.PAIRING_CODE, 7, OnLogout.WAIT) == (read.link_method, read.link_max_rounds, read.on_logout)
    assert "2026-11-22T18:00:00Z" == read.relink_request
    assert (90, 61, 1.5, 7200, 20) == (
        read.startup_timeout,
        read.launch_timeout,
        read.protocol_timeout,
        read.connection_check_timeout,
        read.health_check_timeout,
    )
    mounts = {mount["name"]: mount["mountPath"] for mount in container(manifest)["volumeMounts"]}
    assert mounts["profile"] == str(read.profile_dir)
    assert mounts["tokens"] == str(read.token_dir)
    assert mounts["cache"] == str(read.cache_dir)
    assert mounts["home"] == environment(manifest)["HOME"]
    assert f"{mounts['tokens']}/extra-ca.crt" == str(read.extra_ca_file)


def test_a_telephone_number_is_one_file_of_a_secret() -> None:
    """Mounted, not in the environment; the pod starts without it, and nothing else of the Secret is in it."""
    manifest = pod({"link": {"phoneNumberSecretName": "support-phone"}})
    (volume,) = [found for found in manifest["spec"]["volumes"] if found["name"] == "phone-number"]
    (mount,) = [found for found in container(manifest)["volumeMounts"] if found["name"] == "phone-number"]
    read = read_settings(environment(manifest) | {"POD_UID": "pod-1"})

    assert {
        "secretName": "support-phone",
        "items": [{"key": "phoneNumber", "path": "phoneNumber"}],
        "optional": True,
        "defaultMode": 0o440,
    } == volume["secret"]
    assert mount["readOnly"]
    assert "subPath" not in mount  # such a file is never replaced
    assert f"{mount['mountPath']}/phoneNumber" == str(read.phone_number_file)


def test_a_session_without_a_number_has_the_pod_of_before() -> None:
    """So none becomes outdated with an upgrade."""
    manifest = pod()

    assert "PHONE_NUMBER_FILE" not in environment(manifest)
    assert "phone-number" not in {volume["name"] for volume in manifest["spec"]["volumes"]}


def test_the_runner_takes_the_defaults_too() -> None:
    """With nothing written and no extra CA."""
    read = read_settings(environment(pod()) | {"POD_UID": "pod-1"})

    assert "https://web.whatsapp.com/" == read.url
    assert read.allowed_hosts.allows("static.whatsapp.net")
    assert (None, None) == (read.extra_ca_file, read.relink_request)


def test_the_pods_uid_comes_from_the_kubelet() -> None:
    """Nobody knows it before the pod is made."""
    (variable,) = [found for found in container(pod())["env"] if found["name"] == Variable.POD_UID]

    assert {"fieldRef": {"fieldPath": "metadata.uid"}} == variable["valueFrom"]


def test_no_variable_holds_a_secret() -> None:
    """Secrets come as files."""
    assert not [name for name in environment(pod()) if "TOKEN" in name and name != "TOKEN_DIR"]


def test_presence_reaches_the_runner_by_its_live_settings() -> None:
    """So an edit outdates no pod."""
    available = {"link": {"presence": "Available"}}

    assert '{"presence":"Available"}' == environment(pod(available))["LIVE_SETTINGS"]
    assert "LIVE_SETTINGS" not in environment(pod())
    assert template_hash(session(available), DEFAULTS) == template_hash(session(), DEFAULTS)


def test_a_dollar_in_a_value_is_not_expanded() -> None:
    """Kubernetes would put another variable's value in its place."""
    manifest = pod(relink_at="$(HOME)")

    (variable,) = [found for found in container(manifest)["env"] if found["name"] == Variable.RELINK_REQUEST]
    assert "$$(HOME)" == variable["value"]


def test_probes_ask_whether_it_serves_never_whether_it_is_connected() -> None:
    """An unlinked session must not block a drain; a slow node is no failure; a hung one is not waited for."""
    inside = container(pod())

    assert ("/healthz", "/healthz", "/readyz") == tuple(
        inside[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")
    )
    startup = inside["startupProbe"]
    assert 1 == startup["periodSeconds"]
    assert timedelta(seconds=startup["periodSeconds"] * startup["failureThreshold"]) >= timedelta(minutes=2)
    assert inside["livenessProbe"]["terminationGracePeriodSeconds"] <= 10
    assert "FallbackToLogsOnError" == inside["terminationMessagePolicy"]


def test_an_autoscaler_learns_that_scratch_is_no_data() -> None:
    """Each of the scratch volumes; whether the session may be moved for thrift is the person's word."""
    annotations = pod({"pod": {"annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}}})[
        "metadata"
    ]["annotations"]

    assert "home,cache,tmp,shm" == annotations["cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"]
    assert "false" == annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"]


def test_requests_are_stamped_on_the_pod() -> None:
    """So that one sees which requests a pod answers; without any there is no stamp."""
    annotations = pod(restart_at="today", relink_at="now")["metadata"]["annotations"]

    assert ("today", "now") == (annotations["wasession.dev/restart-at"], annotations["wasession.dev/relink-at"])
    assert "wasession.dev/restart-at" not in pod()["metadata"]["annotations"]
    asked_for_nothing = {Variable.RELINK_REQUEST, Variable.RESTART_REQUEST, Variable.RESUMED_TIME}
    assert asked_for_nothing.isdisjoint(environment(pod()))


def test_the_runner_learns_what_people_asked_for() -> None:
    """By it the runner knows whether a person ended the stop that lies on the profile."""
    start = read_settings(environment(pod(restart_at="today", relink_at="now")) | {"POD_UID": "pod-1"}).start

    assert Start(session_uid=UID, restart="today", relink="now") == start


@pytest.mark.parametrize(
    ("suspended", "expected"), [("False", "2026-11-22T18:00:00Z"), ("True", None), ("Unknown", None)]
)
def test_the_runner_learns_when_the_session_was_resumed(suspended: str, expected: str | None) -> None:
    """The time at which Suspended became False; it does not change the fingerprint."""
    condition = Condition(type="Suspended", status=ConditionStatus(suspended), reason="x", last_transition_time=T0)
    seen = session().model_copy(update={"status": SessionStatus(conditions=(condition,))})

    assert expected == environment(pod_manifest(seen, DEFAULTS)).get(Variable.RESUMED_TIME)
    assert template_hash(session(), DEFAULTS) == template_hash(seen, DEFAULTS)


@pytest.mark.parametrize(
    "edit",
    [
        {"resources": {"limits": {"memory": "1Gi"}}},
        {"pod": {"image": "other"}},
        {"pod": {"schedulerName": "packer"}},
        {"pod": {"dnsPolicy": "Default"}},
        {"timeouts": {"startup": "61s"}},
        {"link": {"onLogout": "Wait"}},
    ],
)
def test_the_template_hash_shows_edits_that_wait(edit: dict[str, Any]) -> None:
    """What reaches the pod at its next creation changes it."""
    assert template_hash(session(), DEFAULTS) != template_hash(session(edit), DEFAULTS)


@pytest.mark.parametrize(
    "edit",
    [{"operatingMode": "Suspended"}, {"priority": 3}, {"profile": {"size": "5Gi"}}, {"recovery": {"maxAttempts": 1}}],
)
def test_the_fingerprint_ignores_what_is_not_the_pods(edit: dict[str, Any]) -> None:
    """Other edits wait for nothing; nor does a request."""
    assert template_hash(session(), DEFAULTS) == template_hash(session(edit), DEFAULTS)
    assert template_hash(session(), DEFAULTS) == template_hash(session(restart_at="now", relink_at="now"), DEFAULTS)


@settings(max_examples=25)
@given(session_specs())
def test_every_accepted_spec_makes_a_sound_pod(spec: dict[str, Any]) -> None:
    """Limits not below requests, no null, the fingerprint on it, and the same pod twice."""
    manifest = pod(spec)

    assert manifest == pod(spec)
    assert template_hash(session(spec), DEFAULTS) == manifest["metadata"]["annotations"]["wasession.dev/made-from"]
    assert {"cpu", "memory", "ephemeral-storage"} == container(manifest)["resources"]["limits"].keys()
    assert _no_null(manifest)


def _no_null(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_no_null(inner) for inner in value.values())
    if isinstance(value, list):
        return all(_no_null(inner) for inner in value)
    return value is not None
