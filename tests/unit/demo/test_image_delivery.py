"""How images reach the nodes: what is asked for, what is refused, and the command lines."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_demo import image_delivery
from session_demo.errors import DemoError
from session_demo.image_delivery import KindDelivery, RegistryDelivery, choose_delivery
from session_devtools.errors import BuildError, CommandError
from session_devtools.images.build import Built
from session_devtools.installation.transformers import Images
from session_devtools.progress import NoProgress

BUILT = {
    name: Built(
        name=name,
        reference=f"localhost/whatsapp-{name}:0123456789ab",
        archive=Path(f"/cache/image-{name}/image.tar"),
        size=1,
    )
    for name in ("operator", "runner", "standin")
}


@pytest.fixture(name="kind")
def make_kind(tmp_path: Path) -> str:
    """A folder with a program called kind."""
    program = tmp_path / "kind"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return str(tmp_path)


def test_without_a_way_the_person_reads_both() -> None:
    """And what to type for each."""
    with pytest.raises(DemoError) as caught:
        choose_delivery(registry="", insecure=False, kind="", context="blue")

    assert "make demo CLUSTER=current REGISTRY=registry.example.com/team" in str(caught.value)
    assert "make demo CLUSTER=current KIND=kind" in str(caught.value)
    assert "REGISTRY_INSECURE=1" in str(caught.value)


@pytest.mark.parametrize("insecure", [False, True])
def test_a_registry_is_spoken_to_by_https_unless_asked_otherwise(*, insecure: bool) -> None:
    """Plain HTTP is never a silent fallback."""
    way = choose_delivery(registry="registry.example.com:5000/team", insecure=insecure, kind="", context="blue")

    assert RegistryDelivery(repository="registry.example.com:5000/team", verify_tls=not insecure) == way


@pytest.mark.parametrize(
    "registry",
    ["registry.example.com/team", "localhost:5000", "10.245.0.1:20123/team", "docker.io/me", "a.b/c/d-e/f_g/h.i"],
)
def test_places_for_images(registry: str) -> None:
    """A host, a port if need be, and a path."""
    assert registry == image_delivery.check_registry(registry)


@pytest.mark.parametrize(
    "registry",
    [
        *("https://registry.example.com/team", "registry.example.com/team/", "registry.example.com/Team", "a b", ""),
        *("registry.example.com/team:latest", "registry.example.com//team", "-x/--tls", "a.b/c@sha256:0", "a.b/../c"),
    ],
)
def test_what_is_no_place_for_images(registry: str) -> None:
    """The message shows what one looks like."""
    with pytest.raises(DemoError, match=r"as in registry\.example\.com:5000/team"):
        image_delivery.check_registry(registry)


@given(st.text())
def test_whatever_is_typed_is_taken_or_refused(registry: str) -> None:
    """A place that was taken holds nothing that a shell or a flag could be made of."""
    try:
        taken = image_delivery.check_registry(registry)
    except DemoError:
        return

    assert set(taken) <= set("abcdefghijklmnopqrstuvwxyz0123456789.:/_-")


def test_two_ways_are_one_too_many(kind: str) -> None:
    """Which one was meant is the person's to say."""
    with pytest.raises(DemoError, match="name one of them"):
        choose_delivery(registry="a.b/c", insecure=False, kind="kind", context="kind-kind", search_path=kind)


def test_kind_loads_into_the_cluster_of_the_context(kind: str) -> None:
    """Images in one cluster and the demo in another would wait for each other for ever."""
    way = choose_delivery(registry="", insecure=False, kind="blue", context="kind-blue", search_path=kind)

    assert isinstance(way, KindDelivery)
    assert ("blue", f"{kind}/kind") == (way.cluster, way.program)


def test_another_context_than_kinds_is_refused(kind: str) -> None:
    """The message names both."""
    with pytest.raises(DemoError, match=r"context kind-blue, but the current context is production"):
        choose_delivery(registry="", insecure=False, kind="blue", context="production", search_path=kind)


def test_kind_must_be_installed(tmp_path: Path) -> None:
    """It is asked before anything is built."""
    with pytest.raises(DemoError, match="kind is not on the PATH"):
        choose_delivery(registry="", insecure=False, kind="blue", context="kind-blue", search_path=str(tmp_path))


def test_the_command_line_of_kind() -> None:
    """Recorded after its documentation: the image's archive, and the cluster's name."""
    asked: list[Sequence[str]] = []

    images = KindDelivery(cluster="blue", program="kind", run=asked.append).deliver(BUILT, progress=NoProgress())

    assert [
        ["kind", "load", "image-archive", f"/cache/image-{name}/image.tar", "--name", "blue"]
        for name in ("operator", "runner", "standin")
    ] == asked
    assert images == Images(**{name: image.reference for name, image in BUILT.items()})


def test_a_fault_of_kind_is_reported_with_its_output(tmp_path: Path) -> None:
    """With the command, so that a person can try it by hand."""
    program = tmp_path / "kind"
    program.write_text("#!/bin/sh\necho 'ERROR: no nodes found for cluster \"blue\"' >&2\nexit 1\n")
    program.chmod(0o755)

    with pytest.raises(CommandError, match=r"load image-archive .* --name blue` .*: ERROR: no nodes found"):
        KindDelivery(cluster="blue", program=str(program)).deliver(BUILT, progress=NoProgress())


def test_kind_that_succeeds_is_quiet(tmp_path: Path) -> None:
    """What it prints is its own business."""
    program = tmp_path / "kind"
    program.write_text("#!/bin/sh\necho loading\n")
    program.chmod(0o755)

    images = KindDelivery(cluster="blue", program=str(program)).deliver(BUILT, progress=NoProgress())

    assert images.runner == "localhost/whatsapp-runner:0123456789ab"


def test_pushed_images_are_called_as_the_registry_calls_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """All three below the place that was named."""
    monkeypatch.setattr(image_delivery, "push", lambda built, repository, **_: f"{repository}/whatsapp-{built.name}:1")

    images = RegistryDelivery(repository="a.b/c").deliver(BUILT, progress=NoProgress())

    expected = Images(
        operator="a.b/c/whatsapp-operator:1", runner="a.b/c/whatsapp-runner:1", standin="a.b/c/whatsapp-standin:1"
    )
    assert expected == images


@pytest.mark.parametrize(("verify", "hint"), [(True, True), (False, False)])
def test_a_refused_push_says_what_to_try(monkeypatch: pytest.MonkeyPatch, *, verify: bool, hint: bool) -> None:
    """The registry's words, how to log in, and the variable for plain HTTP unless it is set."""

    def refuse(*_: object, **__: object) -> str:
        raise BuildError("unauthorized: authentication required")

    monkeypatch.setattr(image_delivery, "push", refuse)

    with pytest.raises(DemoError, match="unauthorized: authentication required") as caught:
        RegistryDelivery(repository="a.b:5000/c", verify_tls=verify).deliver(BUILT, progress=NoProgress())

    assert "buildah login a.b:5000" in str(caught.value)
    assert hint == ("REGISTRY_INSECURE=1" in str(caught.value))


def test_what_stays_is_named() -> None:
    """A registry's images and kind's are not the demo's to remove."""
    assert "in a.b/c" in RegistryDelivery(repository="a.b/c").leftovers
    assert "kind cluster blue" in KindDelivery(cluster="blue", program="kind").leftovers
