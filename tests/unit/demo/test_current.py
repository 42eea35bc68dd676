"""The demo on somebody else's cluster: look first, bring little, remove no more than that."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from session_demo import current, survey
from session_demo.cast import CRDS
from session_demo.context import Context
from session_demo.current import Ground, Wish
from session_demo.delivery import ByRegistry
from session_demo.errors import DemoError
from session_demo.installation import Images
from session_demo.survey import OPERATOR_NAMESPACE, Crds
from session_devtools.errors import BuildError, CommandError
from session_devtools.images.build import Built
from session_devtools.kubectl import Kubectl
from session_devtools.steps import Progress
from unit.demo.scripted import MINE, Cluster, kubectl, story, thing
from unit.demo.test_survey import FIT, OPERATOR, volume

DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}
WISH = Wish(registry="registry.example.com/team")


def place(cluster: Cluster) -> Context:
    """The cluster as the current context."""
    return Context(name="blue", server="https://203.0.113.7:6443", version="v1.35.4", kubectl=kubectl(cluster))


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
    return [" ".join(words) for words in cluster.commands if words[0] in ("apply", "delete", "create", "patch")]


def test_looking_changes_nothing_and_says_where_it_is() -> None:
    """The context comes first, then what will happen."""
    cluster, (told, out) = fit(), story()

    ground = current.look(told, WISH, place(cluster))

    lines = [line.strip() for line in out.getvalue().splitlines()]
    assert "This is context blue (https://203.0.113.7:6443, Kubernetes v1.35.4)." == lines[0]
    assert "No operator is installed there; the demo's own goes with the demo." == lines[1]
    assert "Volumes come from StorageClass slow." == lines[-1]
    assert ByRegistry(repository="registry.example.com/team") == ground.delivery
    assert [] == changes(cluster)


def test_obstacles_and_rights_are_told_together() -> None:
    """With the cluster's name, and that nothing was changed."""
    cluster = Cluster(
        objects=[thing("Namespace", "whatsapp-demo")],
        answers={("auth", "can-i", "create", "deployments.apps"): CommandError(["kubectl"], 1, "no")},
    )

    with pytest.raises(DemoError) as caught:
        current.look(story()[0], WISH, place(cluster))

    first, *others = str(caught.value).splitlines()
    starts = ["- namespace whatsapp-demo is", "- the cluster has no default", "- you may not create deployments.apps"]
    assert "nothing was changed in context blue (https://203.0.113.7:6443, Kubernetes v1.35.4):" == first
    assert starts == [line[: len(start)] for line, start in zip(others, starts, strict=True)]
    assert [] == changes(cluster)


def test_without_a_way_for_images_nothing_is_read_or_changed() -> None:
    """The cheapest question comes first."""
    cluster = fit()

    with pytest.raises(DemoError, match="REGISTRY="):
        current.look(story()[0], Wish(), place(cluster))

    assert [] == cluster.commands


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish(), {}),
        (Wish(storage_class="fast"), {"storageClassName": "fast"}),
        (
            Wish(storage_class="fast", access_mode="ReadWriteOnce"),
            {"storageClassName": "fast", "accessMode": "ReadWriteOnce"},
        ),
    ],
)
def test_wishes_about_storage_go_into_the_sessions(wish: Wish, expected: dict[str, str]) -> None:
    """What was not asked for is left to the API's defaults."""
    assert expected == wish.profile


def test_an_installed_operator_is_announced() -> None:
    """With where it is, and that its CRDs are used as they are."""
    there = replace(FIT, operators=("tools/whatsapp-operator",), crds=Crds.OTHERS, missing_crds=())

    said = current.announcement(there, WISH)

    assert "An operator is installed there (tools/whatsapp-operator): it is left alone." == said[0]
    assert said[1].endswith("the CRDs that are there are used as they are.")


def test_brought_crds_are_announced() -> None:
    """They are cluster-wide: whoever reads along may object."""
    said = current.announcement(FIT, Wish(storage_class="fast"))

    assert said[1].endswith(", and brings the CRDs.")
    assert "Volumes come from StorageClass fast." == said[2]


@pytest.mark.parametrize(("whose", "told"), [(Crds.ABSENT, True), (Crds.DEMO, True), (Crds.OTHERS, False)])
def test_the_end_tells_what_remains(whose: Crds, *, told: bool) -> None:
    """What is left to look at, how it goes, and what does not go with it."""
    way = ByRegistry(repository="a.b/c")
    ground = Ground(place=place(Cluster()), found=replace(FIT, crds=whose), delivery=way)

    said = current.remains(ground)

    assert told == said[0].endswith(", the CRDs.")
    assert "`make demo-down CLUSTER=current` removes these and nothing else." == said[1]
    assert f"Not removed by it: {way.stays}." == said[2]


CRD_YAML = "\n---\n".join(
    f"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: {name}\n" for name in CRDS
)


def test_brought_crds_carry_the_demos_mark() -> None:
    """By it `demo-down` knows them; the API serves them when this returns."""
    cluster = Cluster(answers={("kustomize",): CRD_YAML})

    current.install_crds(kubectl(cluster))

    assert Crds.DEMO == survey.whose(item for item in cluster.objects)
    asked = [words[1] for words in cluster.commands_of("get")]
    assert [",".join(CRDS)] == asked
    (waited,) = cluster.commands_of("wait")
    assert {f"crd/{name}" for name in CRDS} < set(waited)


class Handed:
    """A way for images that needs no registry."""

    stays = "nothing"

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
    ground = Ground(place=place(cluster), found=FIT, delivery=Broken())

    with pytest.raises(DemoError, match="no space left on device"):
        current.prepare(story()[0], WISH, ground)

    assert [] == changes(cluster)


@pytest.mark.usefixtures("_built")
def test_a_failure_on_the_way_says_how_to_clean_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first change on there is something to remove."""
    monkeypatch.setattr(Kubectl, "wait_established", lambda asked, *_: asked("wait"))
    cluster = fit()
    cluster.answers = {("kustomize",): CRD_YAML, ("wait",): CommandError(["kubectl"], 1, "kubectl wait: timed out")}
    ground = Ground(place=place(cluster), found=FIT, delivery=Handed())

    with pytest.raises(DemoError, match="kubectl wait: timed out") as caught:
        current.prepare(story()[0], WISH, ground)

    assert "`make demo-down CLUSTER=current` removes what was made so far." in str(caught.value)


@pytest.mark.usefixtures("_built")
@pytest.mark.parametrize(("whose", "brings"), [(Crds.ABSENT, True), (Crds.OTHERS, False)])
def test_the_stage_is_set_with_the_persons_wishes(
    whose: Crds, monkeypatch: pytest.MonkeyPatch, *, brings: bool
) -> None:
    """Instance demo, its overlay, the storage asked for, patience for slow lines; CRDs only where there are none."""
    asked: list[Any] = []
    monkeypatch.setattr(current, "set_up", lambda *given: asked.append(given))
    cluster = fit()
    cluster.answers = {("kustomize",): CRD_YAML}
    wish = Wish(registry="a.b/c", access_mode="ReadWriteOnce", mode="modern")

    current.prepare(story()[0], wish, Ground(place=place(cluster), found=replace(FIT, crds=whose), delivery=Handed()))

    ((_, _, images, choice),) = asked
    assert Images(operator="o", runner="r", standin="s") == images
    assert ("demo", "modern", {"accessMode": "ReadWriteOnce"}) == (choice.instance, choice.mode, choice.profile)
    assert (choice.overlay / "kustomization.yaml").is_file()
    assert choice.patience >= 300
    assert brings == bool(cluster.names("CustomResourceDefinition"))


def test_going_away_takes_all_that_was_made() -> None:
    """CRDs included, as nobody else uses them."""
    cluster = fit(*ours(), *crds(MINE), thing("Namespace", "shop"))

    current.clear(story()[0], place(cluster))

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

    current.clear(story()[0], place(cluster))

    assert theirs == cluster.objects[1:]


def test_crds_that_are_used_by_now_stay() -> None:
    """The demo brought them, somebody made a quota since: deleting them would delete it."""
    cluster, (told, out) = fit(*ours(), *crds(MINE), thing("WhatsAppSessionQuota", "team")), story()

    current.clear(told, place(cluster))

    assert sorted(CRDS) == cluster.names("CustomResourceDefinition")
    assert ["team"] == cluster.names("WhatsAppSessionQuota")
    assert "The CRDs stay: others use them now (1 sessions and quotas)." in out.getvalue()


def test_crds_that_an_operator_uses_by_now_stay() -> None:
    """Without them it would end."""
    operator = thing("Deployment", "whatsapp-operator", namespace="tools", labels=OPERATOR)
    cluster, (told, out) = fit(*crds(MINE), operator), story()

    current.clear(told, place(cluster))

    assert sorted(CRDS) == cluster.names("CustomResourceDefinition")
    assert "(tools/whatsapp-operator)" in out.getvalue()


def test_what_the_demo_did_not_make_stays_and_is_named() -> None:
    """Even under its names."""
    foreign = [thing("Namespace", "whatsapp-demo"), thing("ClusterRole", OPERATOR_NAMESPACE)]
    cluster, (told, out) = fit(*foreign), story()

    current.clear(told, place(cluster))

    assert foreign == cluster.objects[1:]
    assert "namespace whatsapp-demo was not made by this demo: it stays." in out.getvalue()
    assert f"clusterrole {OPERATOR_NAMESPACE} was not made by this demo: it stays." in out.getvalue()


def test_kept_volumes_are_named() -> None:
    """The storage keeps them by its own rule; a person has to know."""
    cluster, (told, out) = fit(volume("pv-1", "whatsapp-demo", "Retain")), story()

    current.clear(told, place(cluster))

    assert "Volume pv-1 stays" in out.getvalue()


def test_going_away_twice_is_harmless() -> None:
    """The second time there is nothing to do."""
    cluster = fit(*ours(), *crds(MINE))
    current.clear(story()[0], place(cluster))
    before = list(cluster.objects)

    current.clear(story()[0], place(cluster))

    assert before == cluster.objects


def test_the_context_is_told_before_anything_goes() -> None:
    """It is the first line of demo-down, too."""
    cluster, (told, out) = fit(*ours()), story()

    current.clear(told, place(cluster))

    assert out.getvalue().lstrip().startswith("This is context blue")
