"""What the demo makes of a cluster that is not its own: who is there, what is missing, what it may remove."""

from dataclasses import replace
from typing import Any

import pytest
from session_demo import preflight
from session_demo.preflight import CrdOwner, Findings
from session_devtools.installation.constants import CRDS
from support.fake_kubectl import MINE, Cluster, kubectl, thing, volume

OPERATOR = {"app.kubernetes.io/name": "whatsapp-session-operator"}
FIT = Findings(
    operators=(),
    crds=CrdOwner.ABSENT,
    missing_crds=CRDS,
    foreign=(),
    classes=("fast", "slow"),
    default_class="slow",
    architectures=frozenset({"amd64"}),
)
""" A cluster that the demo can run on. """


def lease(namespace: str, name: str, holder: str | None) -> dict[str, Any]:
    """A Lease, held or not."""
    return thing("Lease", name, namespace=namespace, spec={"holderIdentity": holder} if holder else {})


def storage(name: str, **annotations: str) -> dict[str, Any]:
    """A StorageClass."""
    return thing("StorageClass", name, annotations=annotations)


def test_an_operator_is_known_by_its_label() -> None:
    """In any namespace and under any name; other Deployments are nobody's business."""
    found = preflight.operators(
        [
            thing("Deployment", "whatsapp-operator", namespace="tools", labels=OPERATOR),
            thing("Deployment", "shop", namespace="tools", labels={"app.kubernetes.io/name": "shop"}),
            thing("Deployment", "bare", namespace="tools"),
        ],
        [],
    )

    assert ("tools/whatsapp-operator",) == found


def test_an_operator_is_known_by_the_lease_it_holds() -> None:
    """However it was installed; a Lease that was released, or another program's, tells nothing."""
    found = preflight.operators(
        [],
        [
            lease("a", "whatsapp-operator", "pod-1"),
            lease("b", "whatsapp-operator-blue", "pod-2"),
            lease("c", "whatsapp-operator", None),
            lease("c", "whatsapp-operators-friend", "pod-3"),
            lease("kube-node-lease", "node-1", "node-1"),
        ],
    )

    assert ("a/whatsapp-operator", "b/whatsapp-operator-blue") == found


def test_an_operator_that_is_found_twice_is_reported_once() -> None:
    """By its Deployment and by its Lease."""
    deployments = [thing("Deployment", "whatsapp-operator", namespace="tools", labels=OPERATOR)]

    assert ("tools/whatsapp-operator",) == preflight.operators(
        deployments, [lease("tools", "whatsapp-operator", "pod-1")]
    )


def test_the_demos_own_operator_is_none_of_the_others() -> None:
    """What an earlier demo left is not somebody who would need the CRDs."""
    where = preflight.OPERATOR_NAMESPACE
    deployments = [thing("Deployment", where, namespace=where, labels=OPERATOR)]

    assert () == preflight.operators(deployments, [lease(where, "whatsapp-operator-demo", "pod-1")])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([], CrdOwner.ABSENT),
        ([MINE, MINE], CrdOwner.DEMO),
        ([MINE], CrdOwner.DEMO),
        ([{}, {}], CrdOwner.OTHERS),
        ([MINE, {}], CrdOwner.OTHERS),
        ([{"app.kubernetes.io/part-of": "platform"}, MINE], CrdOwner.OTHERS),
    ],
)
def test_one_foreign_crd_makes_them_somebody_elses(labels: list[dict[str, str]], expected: CrdOwner) -> None:
    """The demo's are those that all carry its label."""
    crds = [thing("CustomResourceDefinition", name, labels=each) for name, each in zip(CRDS, labels, strict=False)]

    assert expected == preflight.crd_owner(crds)


def test_objects_without_the_demos_label_are_foreign() -> None:
    """Somebody else's label is no better than none."""
    found = preflight.foreign(
        [
            thing("Namespace", "whatsapp-demo"),
            thing("Namespace", "whatsapp-operator-demo", labels=MINE),
            thing("ClusterRole", "whatsapp-operator-demo", labels={"app.kubernetes.io/part-of": "platform"}),
        ]
    )

    assert ("namespace whatsapp-demo", "clusterrole whatsapp-operator-demo") == found


@pytest.mark.parametrize(
    "annotation", ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
)
def test_the_default_class_is_the_annotated_one(annotation: str) -> None:
    """By the annotation of today or by the one before."""
    classes = [storage("a"), storage("b", **{annotation: "false"}), storage("c", **{annotation: "true"})]

    assert preflight.default_class(classes) == "c"


def test_there_may_be_no_default_class() -> None:
    """Then its name is empty."""
    assert preflight.default_class([storage("a")]) == ""


def test_a_fit_cluster_has_no_obstacles() -> None:
    """Neither with its default class nor with another one that it has."""
    assert [] == preflight.problems(FIT, storage_class="", machine="x86_64")
    assert [] == preflight.problems(FIT, storage_class="fast", machine="x86_64")


def test_a_foreign_object_is_an_obstacle() -> None:
    """It would be overwritten: the person has to decide."""
    found = preflight.problems(replace(FIT, foreign=("namespace whatsapp-demo",)), storage_class="", machine="x86_64")

    assert [
        "namespace whatsapp-demo is there and was not made by this demo: it would be overwritten. Remove or rename it first"
    ] == found


def test_a_class_that_is_not_there_is_an_obstacle() -> None:
    """The message lists those that are."""
    assert ["there is no StorageClass gold (there is: fast, slow)"] == preflight.problems(
        FIT, storage_class="gold", machine="x86_64"
    )


def test_no_default_class_is_an_obstacle_unless_one_is_named() -> None:
    """Sessions without a volume would wait for ever."""
    bare = replace(FIT, default_class="")

    (output,) = preflight.problems(bare, storage_class="", machine="x86_64")

    assert "STORAGE_CLASS=" in output
    assert "(there is: fast, slow)" in output
    assert [] == preflight.problems(bare, storage_class="fast", machine="x86_64")


def test_no_class_at_all_is_reported_as_none() -> None:
    """An empty list would look like a mistake in the message."""
    bare = replace(FIT, default_class="", classes=())

    (output,) = preflight.problems(bare, storage_class="", machine="x86_64")

    assert "(there is: none)" in output


def test_half_an_installation_is_an_obstacle() -> None:
    """One CRD of somebody else's without the other is not mended by a demo."""
    half = replace(FIT, crds=CrdOwner.OTHERS, missing_crds=(CRDS[1],))

    (output,) = preflight.problems(half, storage_class="", machine="x86_64")

    assert CRDS[1] in output
    assert "docs/operations/install.md" in output


@pytest.mark.parametrize(
    ("nodes", "machine", "fits"),
    [
        ({"amd64"}, "x86_64", True),
        ({"arm64"}, "x86_64", False),
        ({"amd64", "arm64"}, "x86_64", True),
        ({"arm64"}, "aarch64", True),
        ({"riscv64"}, "riscv64", True),
        (set(), "x86_64", True),
    ],
)
def test_nodes_that_cannot_run_the_images_are_an_obstacle(nodes: set[str], machine: str, *, fits: bool) -> None:
    """Images are built for this machine's kind; a cluster whose nodes cannot be listed is given the benefit."""
    found = preflight.problems(replace(FIT, architectures=frozenset(nodes)), storage_class="", machine=machine)

    assert fits == (found == [])
    assert fits or "the nodes are arm64" in found[0]


def test_all_obstacles_are_reported_at_once() -> None:
    """Whoever mends one should not meet the next at the next try."""
    bad = replace(FIT, foreign=("namespace a", "clusterrole b"), default_class="", architectures=frozenset({"arm64"}))

    assert len(preflight.problems(bad, storage_class="", machine="x86_64")) == 4


@pytest.mark.parametrize(
    ("crds", "operators", "expected"),
    [
        (CrdOwner.ABSENT, (), True),
        (CrdOwner.ABSENT, ("a/x",), True),
        (CrdOwner.DEMO, (), True),
        (CrdOwner.DEMO, ("a/x",), False),
        (CrdOwner.OTHERS, (), False),
        (CrdOwner.OTHERS, ("a/x",), False),
    ],
)
def test_crds_are_brought_where_nobody_else_uses_them(
    crds: CrdOwner, operators: tuple[str, ...], *, expected: bool
) -> None:
    """Another version under a running operator would be somebody else's upgrade."""
    assert expected == preflight.installs_crds(replace(FIT, crds=crds, operators=operators))


@pytest.mark.parametrize(
    ("crds", "operators", "left", "expected"),
    [
        (CrdOwner.DEMO, (), 0, True),
        (CrdOwner.DEMO, (), 1, False),
        (CrdOwner.DEMO, ("a/x",), 0, False),
        (CrdOwner.OTHERS, (), 0, False),
        (CrdOwner.ABSENT, (), 0, False),
    ],
)
def test_crds_are_removed_only_with_the_last_user(
    crds: CrdOwner, operators: tuple[str, ...], left: int, *, expected: bool
) -> None:
    """Deleting a CRD deletes every object of it in the whole cluster."""
    assert expected == preflight.removes_crds(replace(FIT, crds=crds, operators=operators), left=left)


def test_kept_volumes_are_the_demos_that_storage_does_not_delete() -> None:
    """Others' volumes are not looked at, and those that go by themselves need no word."""
    volumes = [
        volume("pv-1", "whatsapp-demo", "Retain"),
        volume("pv-2", "whatsapp-demo", "Delete"),
        volume("pv-3", "shop", "Retain"),
        thing("PersistentVolume", "pv-4", spec={"persistentVolumeReclaimPolicy": "Retain"}),
    ]

    assert ["pv-1"] == preflight.retained_volumes(volumes)


def test_an_empty_cluster_is_surveyed() -> None:
    """No API of ours, no operator: the quota is not asked for, as its kind is not known."""
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    node = thing("Node", "node-1", status={"nodeInfo": {"architecture": "arm64"}})
    cluster = Cluster(objects=[storage("slow", **default), storage("fast"), node])

    found = preflight.inspect(kubectl(cluster))

    assert replace(FIT, architectures=frozenset({"arm64"})) == found


def test_a_used_cluster_is_surveyed() -> None:
    """CRDs, an operator and a quota of somebody else's under the demo's name."""
    cluster = Cluster(
        objects=[
            *(thing("CustomResourceDefinition", name) for name in CRDS),
            thing("CustomResourceDefinition", "widgets.example.com"),
            thing("Deployment", "whatsapp-operator", namespace="tools", labels=OPERATOR),
            thing("WhatsAppSessionQuota", "demo"),
            thing("Namespace", "whatsapp-demo", labels=MINE),
            thing("ClusterRole", "whatsapp-operator-demo"),
        ]
    )

    found = preflight.inspect(kubectl(cluster))

    assert CrdOwner.OTHERS == found.crds
    assert () == found.missing_crds
    assert ("tools/whatsapp-operator",) == found.operators
    assert ("clusterrole whatsapp-operator-demo", "whatsappsessionquota demo") == found.foreign
