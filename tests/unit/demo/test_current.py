"""The demo on somebody else's cluster: look first, bring little, remove no more than that."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from session_demo import current, preflight
from session_demo.current import Options, Target
from session_demo.errors import DemoError
from session_demo.image_delivery import RegistryDelivery
from session_demo.kube_context import KubeContext
from session_demo.preflight import OPERATOR_NAMESPACE, CrdOwner
from session_demo.report import Report
from session_devtools.errors import BuildError, CommandError
from session_devtools.images.build import Built
from session_devtools.installation.constants import CRDS
from session_devtools.installation.transformers import Images
from session_devtools.kubectl import Kubectl
from session_devtools.progress import Progress
from support.fake_kubectl import MINE, Cluster, kubectl, thing, volume
from unit.demo.test_preflight import FIT, OPERATOR

DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}
OPTIONS = Options(registry="registry.example.com/team")


def report() -> tuple[Report, io.StringIO]:
    """A report, and what it writes."""
    out = io.StringIO()
    return Report(out=out), out


def context(cluster: Cluster) -> KubeContext:
    """The cluster as the current context."""
    return KubeContext(name="blue", server="https://203.0.113.7:6443", version="v1.35.4", kubectl=kubectl(cluster))


def fit(*more: dict[str, Any]) -> Cluster:
    """A cluster with a default class, and more."""
    return Cluster(objects=[thing("StorageClass", "slow", annotations=DEFAULT), *more])


def crds(labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Both CRDs."""
    return [thing("CustomResourceDefinition", name, labels=dict(labels)) for name in CRDS]


def ours() -> list[dict[str, Any]]:
    """What the demo made."""
    return [
        thing("Namespace", "whatsapp-demo", labels=MINE),
        thing("Namespace", OPERATOR_NAMESPACE, labels=MINE),
        thing("ClusterRole", OPERATOR_NAMESPACE, labels=MINE),
        thing("ClusterRoleBinding", OPERATOR_NAMESPACE, labels=MINE),
        thing("WhatsAppSessionQuota", "demo", labels=MINE),
        thing("WhatsAppSession", "sales", namespace="whatsapp-demo"),
    ]


def changes(cluster: Cluster) -> list[str]:
    """The words of every command that changes something."""
    return [
        " ".join(arguments) for arguments in cluster.commands if arguments[0] in ("apply", "delete", "create", "patch")
    ]


def test_looking_changes_nothing_and_says_where_it_is() -> None:
    """The context comes first, then what will happen."""
    cluster, (messages, out) = fit(), report()

    target = current.check(messages, OPTIONS, context(cluster))

    lines = [line.strip() for line in out.getvalue().splitlines()]
    assert "This is context blue (https://203.0.113.7:6443, Kubernetes v1.35.4)." == lines[0]
    assert "No operator is installed there; the demo's own goes with the demo." == lines[1]
    assert "Volumes come from StorageClass slow." == lines[-1]
    assert RegistryDelivery(repository="registry.example.com/team") == target.delivery
    assert [] == changes(cluster)


def test_obstacles_and_rights_are_reported_together() -> None:
    """With the cluster's name, and that nothing was changed."""
    cluster = Cluster(
        objects=[thing("Namespace", "whatsapp-demo")],
        answers={("auth", "can-i", "create", "deployments.apps"): CommandError(["kubectl"], 1, "no")},
    )

    with pytest.raises(DemoError) as caught:
        current.check(report()[0], OPTIONS, context(cluster))

    first, *others = str(caught.value).splitlines()
    starts = ["- namespace whatsapp-demo is", "- the cluster has no default", "- you may not create deployments.apps"]
    assert "nothing was changed in context blue (https://203.0.113.7:6443, Kubernetes v1.35.4):" == first
    assert starts == [line[: len(start)] for line, start in zip(others, starts, strict=True)]
    assert [] == changes(cluster)


def test_without_a_way_for_images_nothing_is_read_or_changed() -> None:
    """The cheapest question comes first."""
    cluster = fit()

    with pytest.raises(DemoError, match="REGISTRY="):
        current.check(report()[0], Options(), context(cluster))

    assert [] == cluster.commands


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), {}),
        (Options(storage_class="fast"), {"storageClassName": "fast"}),
        (
            Options(storage_class="fast", access_mode="ReadWriteOnce"),
            {"storageClassName": "fast", "accessMode": "ReadWriteOnce"},
        ),
    ],
)
def test_storage_options_go_into_the_sessions(options: Options, expected: dict[str, str]) -> None:
    """What was not asked for is left to the API's defaults."""
    assert expected == options.profile


def test_an_installed_operator_is_announced() -> None:
    """With where it is, and that its CRDs are used as they are."""
    there = replace(FIT, operators=("tools/whatsapp-operator",), crds=CrdOwner.OTHERS, missing_crds=())

    output = current.describe_plan(there, OPTIONS)

    assert "An operator is installed there (tools/whatsapp-operator): it is left alone." == output[0]
    assert output[1].endswith("the CRDs that are there are used as they are.")


def test_brought_crds_are_announced() -> None:
    """They are cluster-wide: whoever reads along may object."""
    output = current.describe_plan(FIT, Options(storage_class="fast"))

    assert output[1].endswith(", and brings the CRDs.")
    assert "Volumes come from StorageClass fast." == output[2]


@pytest.mark.parametrize(
    ("crd_owner", "messages"), [(CrdOwner.ABSENT, True), (CrdOwner.DEMO, True), (CrdOwner.OTHERS, False)]
)
def test_the_end_names_what_remains(crd_owner: CrdOwner, *, messages: bool) -> None:
    """What is left to look at, how it goes, and what does not go with it."""
    way = RegistryDelivery(repository="a.b/c")
    target = Target(context=context(Cluster()), found=replace(FIT, crds=crd_owner), delivery=way)

    output = current.describe_result(target)

    assert messages == output[0].endswith(", the CRDs.")
    assert "`make demo-down CLUSTER=current` removes these and nothing else." == output[1]
    assert f"Not removed by it: {way.leftovers}." == output[2]


CRD_YAML = "\n---\n".join(
    f"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: {name}\n" for name in CRDS
)


def test_brought_crds_carry_the_demos_mark() -> None:
    """By it `demo-down` knows them; the API serves them when this returns."""
    cluster = Cluster(answers={("kustomize",): CRD_YAML})

    current.install_crds(kubectl(cluster))

    assert CrdOwner.DEMO == preflight.crd_owner(item for item in cluster.objects)
    asked = [arguments[1] for arguments in cluster.commands_of("get")]
    assert [",".join(CRDS)] == asked
    (waited,) = cluster.commands_of("wait")
    assert {f"crd/{name}" for name in CRDS} < set(waited)


class Handed:
    """A way for images that needs no registry."""

    leftovers = "nothing"

    def deliver(self, built: Mapping[str, Built], *, progress: Progress) -> Images:
        """Name them."""
        del built, progress
        return Images(operator="o", runner="r", standin="s")


class Broken(Handed):
    """A way for images that does not work."""

    def deliver(self, built: Mapping[str, Built], *, progress: Progress) -> Images:
        """Fail as a build does."""
        del built, progress
        raise BuildError("no space left on device")


@pytest.fixture(name="_built")
def no_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images are there already."""
    monkeypatch.setattr(current, "build", lambda **_: {})


@pytest.mark.usefixtures("_built")
def test_a_failed_build_changes_nothing() -> None:
    """Images come before anything in the cluster."""
    cluster = fit()
    target = Target(context=context(cluster), found=FIT, delivery=Broken())

    with pytest.raises(DemoError, match="no space left on device"):
        current.prepare(report()[0], OPTIONS, target)

    assert [] == changes(cluster)


@pytest.mark.usefixtures("_built")
def test_a_failure_on_the_way_says_how_to_clean_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first change on there is something to remove."""
    monkeypatch.setattr(Kubectl, "wait_established", lambda asked, *_: asked("wait"))
    cluster = fit()
    cluster.answers = {("kustomize",): CRD_YAML, ("wait",): CommandError(["kubectl"], 1, "kubectl wait: timed out")}
    target = Target(context=context(cluster), found=FIT, delivery=Handed())

    with pytest.raises(DemoError, match="kubectl wait: timed out") as caught:
        current.prepare(report()[0], OPTIONS, target)

    assert "`make demo-down CLUSTER=current` removes what was made so far." in str(caught.value)


@pytest.mark.usefixtures("_built")
@pytest.mark.parametrize(("crd_owner", "brings"), [(CrdOwner.ABSENT, True), (CrdOwner.OTHERS, False)])
def test_the_scenario_is_set_up_with_the_persons_options(
    crd_owner: CrdOwner, monkeypatch: pytest.MonkeyPatch, *, brings: bool
) -> None:
    """Instance demo, its overlay, the storage asked for, patience for slow lines; CRDs only where there are none."""
    asked: list[Any] = []
    monkeypatch.setattr(current, "install", lambda *given, **_: asked.append(given))
    cluster = fit()
    cluster.answers = {("kustomize",): CRD_YAML}
    options = Options(registry="a.b/c", access_mode="ReadWriteOnce", mode="modern")

    client = current.prepare(
        report()[0], options, Target(context=context(cluster), found=replace(FIT, crds=crd_owner), delivery=Handed())
    )

    ((_, images, install_options),) = asked
    assert Images(operator="o", runner="r", standin="s") == images
    assert ("demo", "modern", {"accessMode": "ReadWriteOnce"}) == (
        install_options.instance,
        install_options.mode,
        client.profile,
    )
    assert ("demo", 300) == (client.instance, client.startup_timeout)
    assert (install_options.overlay / "kustomization.yaml").is_file()
    assert install_options.startup_timeout >= 300
    assert brings == bool(cluster.names("CustomResourceDefinition"))


def test_going_away_takes_all_that_was_made() -> None:
    """CRDs included, as nobody else uses them."""
    cluster = fit(*ours(), *crds(MINE), thing("Namespace", "shop"))

    current.remove(report()[0], context(cluster))

    assert ["Namespace shop", "StorageClass slow"] == sorted(
        f"{item['kind']} {item['metadata']['name']}" for item in cluster.objects
    )


def test_going_away_leaves_an_installation_alone() -> None:
    """Its CRDs, quotas and sessions."""
    theirs = [
        *crds({}),
        thing("WhatsAppSessionQuota", "default"),
        thing("WhatsAppSession", "sales", namespace="shop"),
        thing("Deployment", "whatsapp-operator", namespace="tools", labels=OPERATOR),
    ]
    cluster = fit(*ours(), *theirs)

    current.remove(report()[0], context(cluster))

    assert theirs == cluster.objects[1:]


def test_crds_that_are_used_by_now_stay() -> None:
    """The demo brought them, somebody made a quota since: deleting them would delete it."""
    cluster, (messages, out) = fit(*ours(), *crds(MINE), thing("WhatsAppSessionQuota", "team")), report()

    current.remove(messages, context(cluster))

    assert sorted(CRDS) == cluster.names("CustomResourceDefinition")
    assert ["team"] == cluster.names("WhatsAppSessionQuota")
    assert "The CRDs stay: others use them now (1 sessions and quotas)." in out.getvalue()


def test_crds_that_an_operator_uses_by_now_stay() -> None:
    """Without them it would end."""
    operator = thing("Deployment", "whatsapp-operator", namespace="tools", labels=OPERATOR)
    cluster, (messages, out) = fit(*crds(MINE), operator), report()

    current.remove(messages, context(cluster))

    assert sorted(CRDS) == cluster.names("CustomResourceDefinition")
    assert "(tools/whatsapp-operator)" in out.getvalue()


def test_what_the_demo_did_not_make_stays_and_is_named() -> None:
    """Even under its names."""
    foreign = [thing("Namespace", "whatsapp-demo"), thing("ClusterRole", OPERATOR_NAMESPACE)]
    cluster, (messages, out) = fit(*foreign), report()

    current.remove(messages, context(cluster))

    assert foreign == cluster.objects[1:]
    assert "namespace whatsapp-demo was not made by this demo: it stays." in out.getvalue()
    assert f"clusterrole {OPERATOR_NAMESPACE} was not made by this demo: it stays." in out.getvalue()


def test_kept_volumes_are_named() -> None:
    """The storage keeps them by its own rule; a person has to know."""
    cluster, (messages, out) = fit(volume("pv-1", "whatsapp-demo", "Retain")), report()

    current.remove(messages, context(cluster))

    assert "Volume pv-1 stays" in out.getvalue()


def test_going_away_twice_is_harmless() -> None:
    """The second time there is nothing to do."""
    cluster = fit(*ours(), *crds(MINE))
    current.remove(report()[0], context(cluster))
    before = list(cluster.objects)

    current.remove(report()[0], context(cluster))

    assert before == cluster.objects


def test_the_context_is_named_before_anything_is_deleted() -> None:
    """It is the first line of demo-down, too."""
    cluster, (messages, out) = fit(*ours()), report()

    current.remove(messages, context(cluster))

    assert out.getvalue().lstrip().startswith("This is context blue")
