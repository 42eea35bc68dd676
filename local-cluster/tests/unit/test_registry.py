"""The registry's settings, how containerd learns of it, and how images get there; the real one is in ../cluster."""

import json
import tomllib
from pathlib import Path

import pytest
from local_cluster.full.components import Files
from local_cluster.full.instance import Instance, Link
from local_cluster.registry.server import configuration
from local_cluster.registry.trust import hosts_file, trust
from session_devtools.errors import BuildError
from session_devtools.images.build import Built
from session_devtools.images.push import push, pushed_reference
from session_devtools.progress import NoProgress

BUILT = Built(
    name="runner", reference="localhost/whatsapp-runner:0123456789ab", archive=Path("/cache/image.tar"), size=1
)


class RecordedProgress:
    """A store of images that notes what it is asked for."""

    def __init__(self, *, present: bool, refuses: bool = False) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._present = present
        self._refuses = refuses

    def has(self, reference: str) -> bool:
        """Whether it was made with its images."""
        self.asked.append(("has", reference))
        return self._present

    def take(self, archive: Path) -> None:
        """Note the archive."""
        self.asked.append(("take", str(archive)))

    def push(self, reference: str, destination: str, *, verify_tls: bool, log: Path) -> None:
        """Note the push, or refuse it."""
        assert log.parent.is_dir()
        if self._refuses:
            raise BuildError("unauthorized")
        self.asked.append(("push", reference, destination, "TLS" if verify_tls else "plain"))


def test_the_registry_listens_where_it_is_asked_to() -> None:
    """On one address alone: whoever reaches it may push."""
    settings = json.loads(configuration(host="10.245.0.1", port=20123, images=Path("/tmp/x/images")))

    assert "10.245.0.1:20123" == settings["http"]["addr"]
    assert "/tmp/x/images" == settings["storage"]["filesystem"]["rootdirectory"]
    assert "tls" not in settings["http"]


def test_containerd_is_configured_to_pull_by_plain_http() -> None:
    """From this registry and for pulling only."""
    hosts = tomllib.loads(hosts_file("10.245.0.1:20123"))

    assert {
        "server": "http://10.245.0.1:20123",
        "host": {"http://10.245.0.1:20123": {"capabilities": ["pull", "resolve"]}},
    } == hosts


def test_trust_writes_where_containerd_looks(tmp_path: Path) -> None:
    """One folder per registry in the instance's state, so that it goes with the cluster; a second time is harmless."""
    link = Link(network="10.245.0.0/30", host="10.245.0.1", node="10.245.0.2")
    instance = Instance(name="foreign", link=link, state_root=tmp_path / "state", run_root=tmp_path / "run")

    trust(instance, "10.245.0.1:20123")
    path = trust(instance, "10.245.0.1:20123")

    assert Files(instance).registries / "10.245.0.1:20123" / "hosts.toml" == path
    assert hosts_file("10.245.0.1:20123") == path.read_text()
    assert path.is_relative_to(instance.state)


@pytest.mark.parametrize("repository", ["registry.example.com/team", "localhost:5000", "10.245.0.1:20123/a/b"])
def test_a_pushed_image_keeps_name_and_tag(repository: str) -> None:
    """Only the place before it changes: the tag still says what is in it."""
    assert f"{repository}/whatsapp-runner:0123456789ab" == pushed_reference(BUILT, repository)


def test_an_image_that_the_builds_still_have_is_pushed_from_there() -> None:
    """Its layers were compressed before, perhaps."""
    store = RecordedProgress(present=True)

    reference = push(BUILT, "registry.example.com/team", verify_tls=True, progress=NoProgress(), store=store)

    assert "registry.example.com/team/whatsapp-runner:0123456789ab" == reference
    assert [("has", BUILT.reference), ("push", BUILT.reference, reference, "TLS")] == store.asked


def test_an_image_that_the_builds_forgot_comes_from_its_archive() -> None:
    """The archive in the cache is the image, whatever became of the builds' storage."""
    store = RecordedProgress(present=False)

    reference = push(BUILT, "localhost:5000/x", verify_tls=False, progress=NoProgress(), store=store)

    assert [
        ("has", BUILT.reference),
        ("take", "/cache/image.tar"),
        ("push", BUILT.reference, reference, "plain"),
    ] == store.asked


def test_a_refusal_of_the_registry_reaches_the_caller() -> None:
    """Nobody goes on with an image that is not there."""
    with pytest.raises(BuildError, match="unauthorized"):
        push(
            BUILT,
            "localhost:5000/x",
            verify_tls=False,
            progress=NoProgress(),
            store=RecordedProgress(present=True, refuses=True),
        )
