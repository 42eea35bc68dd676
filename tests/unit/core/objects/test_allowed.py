"""What the operator's settings allow of images, priority classes, annotations and labels."""

from typing import Any

import pytest
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import Allowed, Defaults
from whatsapp_operator.core.objects.allowed import allows_image, is_injectors, not_allowed

RUNNER = "registry.example.com/released/runner:1"


def refused(pod: dict[str, Any], **allowed: tuple[str, ...]) -> list[str]:
    """Return what is not allowed."""
    session = WhatsAppSession.parse({"metadata": {"name": "sales"}, "spec": {"pod": pod}})
    return [str(each) for each in not_allowed(session.spec, Defaults(runner_image=RUNNER, allowed=Allowed(**allowed)))]


@pytest.mark.parametrize(
    "pod",
    [
        {},
        {"image": "busybox"},
        {"priorityClassName": "high"},
        {"labels": {"app": "postgres", "app.kubernetes.io/name": "shop"}},
        {
            "annotations": {
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
                "karpenter.sh/do-not-disrupt": "true",
            }
        },
        {"tolerations": [{"operator": "Exists"}]},
    ],
)
def test_by_default_most_is_allowed(pod: dict[str, Any]) -> None:
    """Whoever may create pods could do all that without us; another Service's labels are the team's own business."""
    assert [] == refused(pod)


@pytest.mark.parametrize(
    ("entry", "image", "expected"),
    [
        ("registry.example.com", "registry.example.com/team/runner:1", True),
        ("registry.example.com", "registry.example.com.evil.io/runner:1", False),
        ("registry.example.com", "registry.example.com:5000/runner:1", False),
        ("registry.example.com", "registry.example.com", False),
        ("registry.example.com:5000/", "registry.example.com:5000/runner", True),
        ("registry.example.com/team", "registry.example.com/team/runner:1", True),
        ("registry.example.com/team", "registry.example.com/team-evil/runner:1", False),
        ("registry.example.com/team/", "registry.example.com/team/sub/runner", True),
        ("registry.example.com/team/", "registry.example.com/team/../evil/runner", False),
        ("registry.example.com/team/", "registry.example.com/team//runner", False),
        ("registry.example.com/team/runner", "registry.example.com/team/runner", True),
        ("registry.example.com/team/runner", "registry.example.com/team/runner:2", True),
        ("registry.example.com/team/runner", "registry.example.com/team/runner@sha256:ab", True),
        ("registry.example.com/team/runner", "registry.example.com/team/runner-evil:2", False),
        ("registry.example.com/team/runner:1", "registry.example.com/team/runner:1", True),
        ("registry.example.com/team/runner:1", "registry.example.com/team/runner:10", False),
        ("registry.example.com/team/runner:1", "registry.example.com/team/runner:1@sha256:ab", False),
        ("registry.example.com/team/runner@sha256:ab", "registry.example.com/team/runner@sha256:ab", True),
        ("registry.example.com/team/runner@sha256:ab", "registry.example.com/team/runner:9@sha256:ab", True),
        ("registry.example.com/team/runner@sha256:ab", "registry.example.com/team/runner@sha256:abc", False),
        ("registry.example.com/team/runner@sha256:ab", "registry.example.com/team/runner:1", False),
        ("Registry.Example.com/team/", "registry.EXAMPLE.com/team/runner", True),
        ("docker.io/team/", "team/runner", True),
        ("team/", "docker.io/team/runner", True),
        ("busybox", "docker.io/library/busybox:1", True),
        ("busybox", "evil.example.com/busybox", False),
        ("localhost/", "localhost/runner:dev", True),
        ("localhost/", "team/localhost/runner", False),
        ("docker.io/library/", "docker.io/busybox", True),
        ("docker.io/team", "docker.io/team", True),
        ("docker.io/team/", "docker.io/team", False),
        ("docker.io/", "index.docker.io/team/runner", True),
        ("index.docker.io", "busybox", True),
        ("docker.io/", "Evil/runner", False),
        ("docker.io/", "EVIL/team/runner", False),
        ("registry.example.com:5000", "registry.example.com:5000/team/runner:1", True),
        ("localhost:5000", "localhost:5000/runner", True),
        ("registry.example.com:5000", "registry.example.com:50001/runner", False),
        ("registry.example.com:5000", "registry.example.com/runner", False),
    ],
)
def test_an_entry_has_an_image(entry: str, image: str, expected: bool) -> None:  # noqa: FBT001
    """A registry, a part of a path, a name, a tag or a digest; never a beginning in the middle of a word."""
    assert expected is allows_image(image, entries=[entry])


def test_other_images_are_reported_with_what_would_be_right() -> None:
    """The operator's own image is always allowed, and so is naming none."""
    entries = ("registry.example.com/team/", "registry.example.com/other/runner")

    (problem,) = refused({"image": "busybox"}, images=entries)

    assert problem == f"spec.pod.image: busybox is not allowed here, but only {', '.join(entries)} (ALLOWED_IMAGES)"
    assert [] == refused({"image": RUNNER}, images=entries) + refused({}, images=entries)


@pytest.mark.parametrize("name", ["system-node-critical", "system-cluster-critical", "system-anything"])
def test_the_clusters_own_priority_classes(name: str) -> None:
    """Refused by default, allowed when somebody lists one; a list is the whole of it."""
    assert 1 == len(refused({"priorityClassName": name}))
    assert [] == refused({"priorityClassName": name}, priority_classes=(name,))
    assert 1 == len(refused({"priorityClassName": "high"}, priority_classes=(name,)))


@pytest.mark.parametrize(
    "key",
    [
        "sidecar.istio.io/inject",
        "istio.io/rev",
        "proxy.istio.io/config",
        "linkerd.io/inject",
        "config.linkerd.io/proxy-cpu-limit",
        "vault.hashicorp.com/agent-inject-secret-x",
        "vault.hashicorp.com/role",
        "consul.hashicorp.com/connect-inject",
        "dapr.io/enabled",
        "iam.amazonaws.com/role",
        "eks.amazonaws.com/role-arn",
        "iam.gke.io/gcp-service-account",
        "azure.workload.identity/use",
        "aadpodidbinding",
        "k8s.v1.cni.cncf.io/networks",
        "instrumentation.opentelemetry.io/inject-java",
        "container.apparmor.security.beta.kubernetes.io/runner",
        "SIDECAR.ISTIO.IO/inject",
        "example.com/inject",
        "sidecar-injector",
        "injector.tumblr.com/request",
        "sidecars.example.com/wanted",
        "io.kubernetes.cri-o.Devices",
        "io.kubernetes.cri-o.userns-mode",
        "io.katacontainers.config.hypervisor.path",
        "dev.gvisor.spec.mount.x.source",
        "cpu-load-balancing.crio.io",
        "cdi.k8s.io/gpu",
        "devices.nri.io/container.runner",
        "cni.projectcalico.org/ipAddrs",
        "ovn.kubernetes.io/ip_address",
        "k8s.amazonaws.com/eniConfig",
    ],
)
def test_an_injectors_orders_are_refused(key: str) -> None:
    """As an annotation and as a label; a setting allows it."""
    assert is_injectors(key)
    for field in ("annotations", "labels"):
        (problem,) = refused({field: {key: "true"}})
        assert problem.startswith(f"spec.pod.{field}: {key} is not allowed here")
        assert [] == refused({field: {key: "true"}}, annotations=(key,))


def test_a_list_of_annotations_is_the_whole_of_it() -> None:
    """Keys, and beginnings that end with a slash; labels that are no injector's need no entry."""
    entries = ("cluster-autoscaler.kubernetes.io/", "note")

    assert [] == refused({"annotations": {"cluster-autoscaler.kubernetes.io/x": "", "note": ""}}, annotations=entries)
    assert 2 == len(
        refused({"annotations": {"notes": "", "cluster-autoscaler.kubernetes.io.evil/x": ""}}, annotations=entries)
    )
    assert [] == refused({"labels": {"team": "a"}}, annotations=entries)


@pytest.mark.parametrize("key", ["wasession.dev/quota", "x.wasession.dev/y", "app.kubernetes.io/managed-by"])
def test_our_own_keys_are_nobodys(key: str) -> None:
    """The schema refuses them; what an older schema let in gets no pod, and no setting changes that."""
    for field in ("annotations", "labels"):
        assert 1 == len(refused({field: {key: "x"}}, annotations=(key, "wasession.dev/")))
