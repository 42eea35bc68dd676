"""The images as they come out of the build: small, without root, and working on a read-only root file system.

They are built into the shared cache, so a second run takes seconds. A program of an image is run in a chroot of its
files, as the image's user, with nothing writable but what a pod gives it; no cluster is needed for that.
"""

import io
import json
import re
import shutil
import subprocess
import tempfile
import tomllib
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cluster.support import apply, pod
from cluster.unpacked import Unpacked, archived, files_with_bits, manifest
from local_cluster.full.cluster import FullCluster
from local_cluster.full.load import load_missing
from local_cluster.registry import Registry
from session_devtools import packages
from session_devtools.build.cache import cache_folder
from session_devtools.errors import BuildError
from session_devtools.images import IMAGES, build
from session_devtools.images.annotations import PREFIX
from session_devtools.images.apt import find_route
from session_devtools.images.base import make_base
from session_devtools.images.build import PublicBase, clean, write_context
from session_devtools.images.buildah import Buildah
from session_devtools.images.debian import DIFFERENCES, LABELS, Lock, label, parse_packages
from session_devtools.images.definitions import ROOT
from session_devtools.images.logged import run_logged
from session_devtools.images.push import push
from session_devtools.images.wheels import fetch_wheels
from session_devtools.mounts import mounts_under
from session_devtools.progress import ConsoleProgress, NoProgress

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.timeout(900),  # from an empty cache about three minutes, most of them downloads
]

SIZES = {"operator": 270, "runner": 660, "standin": 190}
""" MB unpacked, at most. Measured on 2026-11-22: 244, 624 and 162, of them Debian with Python 113, Chromium with its
libraries 325, Playwright's Node 117; the rest of the bound is left for Debian's updates. """

MODULES = {
    "operator": ("whatsapp_operator.app.process", "session_protocol.vocabulary"),
    "runner": ("session_runner", "playwright.async_api", "aiohttp", "segno"),
    "standin": ("standin.server", "segno"),
}

COMMANDS = {"operator": "whatsapp-operator", "runner": "whatsapp-session-runner"}
DISTRIBUTIONS = {"operator": "whatsapp-session-operator", "runner": "whatsapp-session-runner"}
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
programs = pytest.mark.parametrize("image", COMMANDS, indirect=True)
""" The images of a release; the stand-in's has a folder on its path and no version of its own. """

BROWSE = """\
import asyncio
from playwright.async_api import async_playwright

async def main():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/lib/chromium/chromium-headless-shell",
            args=["--no-sandbox", "--disable-gpu", "--disable-software-rasterizer", "--in-process-gpu", "--no-zygote"])
        page = await browser.new_page()
        await page.set_content("<canvas id=c></canvas><p>käse 😀</p>")
        print(await page.evaluate("document.querySelector('p').textContent + typeof WebAssembly + typeof indexedDB"))
        print(len(await page.screenshot()) > 1000)
        await browser.close()

asyncio.run(main())
"""

DRIVE = """\
import subprocess
from playwright._impl._driver import compute_driver_executable
from session_runner.page.driver import PREPARED, tune_driver

tune_driver()
done = subprocess.run([*compute_driver_executable(), "run-driver"], input="", capture_output=True, text=True, check=True)
print(len(list(PREPARED.glob("*.js.compiled"))), repr(done.stderr))
"""


@pytest.fixture(scope="module", params=IMAGES)
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unpacked]:
    """Each image, built if need be, and its files mounted. The sources are a copy, which nobody edits meanwhile."""
    sources = tmp_path_factory.mktemp("sources")
    write_context(IMAGES[request.param].inputs(), sources)
    built = build([request.param], progress=ConsoleProgress(), root=sources)[request.param]
    builder = Buildah(cache_folder() / "images")
    with builder._container(built.reference) as container:  # a build beside it removes only what nobody uses
        files = Path(subprocess.check_output([*builder._program, "mount", container], text=True).strip())
        inspected = json.loads(
            subprocess.check_output([*builder._program, "inspect", "--type", "image", built.reference])
        )
        yield Unpacked(built=built, sources=sources, files=files, config=inspected["OCIv1"]["config"])


def test_it_is_small(image: Unpacked) -> None:
    """Under its bound, in the image's own count."""
    assert image.built.size <= SIZES[image.built.name] * 10**6


def test_it_runs_as_nobody_in_particular(image: Unpacked) -> None:
    """The user is a number that is not root's, and the program is PID 1."""
    assert image.config["User"] == "10001:10001"
    assert image.config["Entrypoint"][:2] == ["python", "-m"]
    assert image.python("import os; print(os.getuid(), os.getgid())") == "10001 10001"


def test_nothing_in_it_changes_its_user(image: Unpacked) -> None:
    """No setuid or setgid file is left, and none that everybody may write."""
    assert files_with_bits(image.files, "6000") == []
    assert files_with_bits(image.files, "0002") == []


def test_its_root_file_system_need_not_be_written(image: Unpacked) -> None:
    """Its modules load where nothing can be written but /tmp and HOME, and from byte code."""
    modules = MODULES[image.built.name]

    assert image.python(f"import {', '.join(modules)}; print('loaded')") == "loaded"
    assert image.run("touch", "/opt/x").returncode != 0
    assert image.python(f"import {modules[0]} as m; import os; print(os.path.exists(m.__cached__))") == "True"


def test_its_program_starts(image: Unpacked) -> None:
    """Without its settings it ends with words of its own about them, not with a traceback of missing modules."""
    done = image.run(*image.config["Entrypoint"], timeout=30)

    assert done.returncode != 0
    assert "ModuleNotFoundError" not in done.stderr
    assert "ImportError" not in done.stderr
    assert "Read-only file system" not in done.stderr


def test_what_built_it_is_not_in_it(image: Unpacked) -> None:
    """No pip, no compiler, no package lists, no wheels, no secrets in its variables."""
    assert (
        image.python("import importlib.util as u; print(u.find_spec('pip'), u.find_spec('setuptools'))") == "None None"
    )
    assert not list(image.files.glob("var/lib/apt/lists/*_*"))
    assert not list(image.files.glob("**/*.whl"))
    assert not (image.files / "host-ca.crt").exists()
    assert not (image.files / "src").exists()
    allowed = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    its_own = {"standin": {"PYTHONPATH"}, "runner": {"PYTHONOPTIMIZE"}}.get(image.built.name, set())
    assert {entry.split("=")[0] for entry in image.config["Env"]} == allowed | its_own


def test_it_says_what_it_is(image: Unpacked) -> None:
    """In OCI's words, as annotations for registries and as labels for a node; the licence itself as a file."""
    ours = {key: text for key, text in image.config["Labels"].items() if key.startswith(PREFIX)}
    labels = {key.removeprefix(PREFIX): text for key, text in ours.items()}
    folder = "opt/app" if image.built.name == "standin" else "opt/venv/lib/*/site-packages/whatsapp_session_*/licenses"
    [licence] = image.files.glob(f"{folder}/LICENSE")

    assert (labels["title"], labels["licenses"]) == (f"whatsapp-{image.built.name}", "Apache-2.0")
    assert labels["version"] == VERSION
    assert labels["base.name"].startswith("localhost/debian-base:")
    assert re.fullmatch("sha256:[0-9a-f]{64}", labels["base.digest"])
    assert datetime.fromisoformat(labels["created"]) <= datetime.now(UTC)
    assert ours.items() <= manifest(image.built.archive)["annotations"].items()
    assert "Apache License" in licence.read_text()


@programs
def test_it_knows_its_version(image: Unpacked) -> None:
    """What runs is an installed distribution: build_info, log and user agent have the project's version."""
    distribution = DISTRIBUTIONS[image.built.name]

    assert image.python(f"from importlib.metadata import version; print(version('{distribution}'))") == VERSION
    assert image.python("import session_protocol as p; print(p.__file__)").startswith("/opt/venv/lib/")


@pytest.mark.parametrize("image", ["operator"], indirect=True)
def test_the_operator_prints_its_version(image: Unpacked) -> None:
    """The word that its metrics, its log and its user agent take."""
    assert image.python("from whatsapp_operator.app.version import version; print(version())") == VERSION


@programs
def test_its_command_is_installed(image: Unpacked) -> None:
    """With the image's own Python in its first line; it starts, and ends for want of settings, like the module."""
    command = COMMANDS[image.built.name]
    by_module, by_command = image.run(*image.config["Entrypoint"], timeout=30), image.run(command, timeout=30)

    assert (image.files / "opt/venv/bin" / command).read_text().startswith("#!/opt/venv/bin/python")
    assert by_module.returncode == by_command.returncode != 0
    assert "Traceback" not in by_command.stderr


def test_its_archive_carries_its_name(image: Unpacked) -> None:
    """Containerd names what it imports after the archive's annotation."""
    index = archived(image.built.archive, "index.json")

    name = index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]
    assert name == image.built.reference


def test_an_unchanged_image_is_not_built_again(image: Unpacked) -> None:
    """The second time it is a matter of looking at the sources: no step is worth a word."""
    output = io.StringIO()

    again = build([image.built.name], progress=ConsoleProgress(stream=output), root=image.sources)[image.built.name]

    assert (again, output.getvalue()) == (image.built, "")


@pytest.mark.parametrize("image", ["runner"], indirect=True)
def test_the_runner_can_browse(image: Unpacked) -> None:
    """Playwright's own driver starts Debian's browser, which runs scripts and paints, all on a read-only root."""
    assert image.python(BROWSE) == "käse 😀objectobject\nTrue"


@pytest.mark.parametrize("image", ["runner"], indirect=True)
def test_the_driver_lies_in_it_cut_and_compiled(image: Unpacked) -> None:
    """Both bundles; the driver takes them, as it would say if its V8 could not."""
    assert image.python(DRIVE) == "2 ''"


@pytest.mark.parametrize("image", ["runner"], indirect=True)
def test_the_build_has_started_the_browser_and_noted_its_version(image: Unpacked) -> None:
    """In the image for the runner, in a label for registries: the version that the browser itself says."""
    noted = (image.files / LABELS["dev.wasession.browser-version"].lstrip("/")).read_text().strip()
    printed = image.run("/usr/lib/chromium/chromium-headless-shell", "--version").stdout

    assert re.fullmatch(r"\d+(\.\d+){3}", noted)
    assert noted in printed.split()
    assert noted == image.config["Labels"]["dev.wasession.browser-version"]
    assert noted == image.python("from session_runner.host.browser_version import recorded_version as r; print(r())")


NO_PAGE = "has no process for a page"
IMPATIENT = (
    "RUN cd /opt/venv/lib/python3*/site-packages/session_runner && rm __pycache__/first_start.*"
    " && sed -i 's/^SECONDS = .*/SECONDS = 20.0/' first_start.py"
)
""" Whoever waits in vain does so for two minutes. """
BREAKS = {
    "does not load": "echo 'error while loading shared libraries: libnss3.so' >&2; exit 127",
    "crashes at each start": 'case "$*" in --version) exec /browser --version;; esac; kill -SEGV $$',
    NO_PAGE: 'case "$*" in --version) exec /browser --version;; esac; exec /browser "$@" --renderer-cmd-prefix=/bin/false',
}


@pytest.mark.parametrize("image", ["runner"], indirect=True)
@pytest.mark.parametrize("script", BREAKS.values(), ids=BREAKS)
def test_an_image_with_a_broken_browser_is_not_built(image: Unpacked, script: str, tmp_path: Path) -> None:
    """By the very command that ends the Dockerfile; with the good browser in its place the same build goes through."""
    commands = re.findall(r"^RUN ((?:.*\\\n)*.*)$", (ROOT / "Dockerfile.runner").read_text(), re.MULTILINE)
    [command] = [command for command in commands if "first_start" in command]
    program = "/usr/lib/chromium/chromium-headless-shell"
    (tmp_path / "broken").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "broken").chmod(0o755)
    start = f"FROM {image.built.reference}\nUSER 0\nRUN mv {program} /browser && rm -r /usr/share/wasession/driver\n"
    builder = Buildah(cache_folder() / "images")

    def build_with(lines: str) -> None:
        (tmp_path / "Dockerfile").write_text(f"{start}{lines}\nRUN {command}\n")
        builder.build(
            "localhost/broken-browser:test",
            dockerfile=tmp_path / "Dockerfile",
            context=tmp_path,
            arguments={},
            annotations={},
            mounts={},
            log=tmp_path / "log",
        )

    with pytest.raises(BuildError, match=f"first start of {program}: "):
        build_with(f"COPY broken {program}\n{IMPATIENT if script == BREAKS[NO_PAGE] else ''}")
    build_with(f"RUN mv /browser {program}")
    subprocess.run([*builder._program, "rmi", "localhost/broken-browser:test"], check=True, capture_output=True)


@pytest.mark.parametrize("image", ["runner"], indirect=True)
def test_the_runner_can_trust_an_authority(image: Unpacked) -> None:
    """Certutil makes the user's certificate database in HOME."""
    done = image.run(
        "sh", "-c", 'mkdir -p "$HOME/nss" && certutil -d "sql:$HOME/nss" -N --empty-password && ls "$HOME/nss"'
    )

    assert done.stdout.split() == ["cert9.db", "key4.db", "pkcs11.txt"]


@pytest.mark.parametrize("image", ["operator"], indirect=True)
def test_the_operator_has_no_browser_and_no_runner(image: Unpacked) -> None:
    """What the two say to each other is a package of its own."""
    code = "import importlib.util as u; print([u.find_spec(name) for name in ('playwright', 'session_runner')])"

    assert image.python(code) == "[None, None]"
    assert list(image.files.glob("**/session_runner*")) == []


@pytest.mark.parametrize("image", ["standin"], indirect=True)
def test_a_cluster_loads_an_image_once_and_runs_it(image: Unpacked, full_cluster: FullCluster, namespace: str) -> None:
    """Under the restricted standard, with a read-only root file system; the second load has nothing to do."""
    loaded = load_missing(full_cluster.instance, [image.built], progress=NoProgress())
    again = load_missing(full_cluster.instance, [image.built], progress=NoProgress())
    made = pod(namespace, "it", "python", "-m", "standin", "--help", image=image.built.reference)
    made["spec"]["restartPolicy"] = "Never"
    apply(full_cluster, made)
    full_cluster.kubectl("-n", namespace, "wait", "pod/it", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")

    assert (loaded, again) == ([image.built.reference], [])
    assert "usage: standin" in full_cluster.kubectl("-n", namespace, "logs", "it")


def test_its_packages_are_the_file_s_or_the_label_names_the_others(image: Unpacked) -> None:
    """What a mirror has today may be newer; the image then says so."""
    root = image.files
    shown = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show", "--showformat=${Package}=${Version}\n"]
    present = parse_packages(subprocess.check_output(shown, text=True).splitlines())
    lock = Lock.parse((ROOT / f"requirements/debian/{image.built.name}.txt").read_text())
    noted = (root / DIFFERENCES.lstrip("/")).read_text()

    assert (present == lock.packages) is (noted == "")
    assert {line.split()[0] for line in noted.splitlines()} == {
        name for name, _ in set(present.items()) ^ set(lock.packages.items())
    }
    assert label(noted) == image.config["Labels"].get("dev.wasession.debian-differences", "")
    assert not (root / "build").exists()


@pytest.fixture
def podman() -> Iterator[list[str]]:
    """The words that call podman with a storage of its own; its paths must be short."""
    packages.ensure(["podman"])
    with tempfile.TemporaryDirectory(prefix="podman-") as name:
        folder = Path(name)
        places = (f"--root={folder / 'root'}", f"--runroot={folder / 'run'}", f"--tmpdir={folder / 'tmp'}")
        yield ["podman", *places, "--storage-driver=overlay", "--cgroup-manager=cgroupfs"]
        for point in mounts_under(folder):
            subprocess.run(["umount", point], check=True)


@pytest.mark.parametrize("image", ["standin"], indirect=True)
def test_podman_builds_the_same_dockerfile(image: Unpacked, podman: list[str], tmp_path: Path) -> None:
    """From the repository itself, on the same base, and the image is configured alike."""
    base = make_base(find_route(), progress=ConsoleProgress())[1]
    wheels = fetch_wheels(image.sources / IMAGES["standin"].requirements[0], progress=ConsoleProgress())
    options = ("--network=host", "--isolation=chroot", f"--volume={wheels}:/mnt:ro", "--tag=it")
    arguments = ("--build-arg=BASE=localhost/base:x", "--build-arg=PIP_NO_INDEX=1", "--build-arg=PIP_FIND_LINKS=/mnt")
    dockerfile = f"--file={ROOT / 'tests/standin/Dockerfile'}"

    log = tmp_path / "log"
    run_logged([*podman, "import", "--quiet", str(base), "localhost/base:x"], log=log, what="podman import")
    run_logged([*podman, "build", *options, *arguments, dockerfile, str(ROOT)], log=log, what="podman build")
    config = json.loads(subprocess.check_output([*podman, "image", "inspect", "it"]))[0]["Config"]

    same = ("User", "Entrypoint", "Env", "WorkingDir")
    assert {key: config[key] for key in same} == {key: image.config[key] for key in same}


@pytest.mark.parametrize("image", ["standin"], indirect=True)
def test_an_image_is_pushed_to_a_registry(image: Unpacked, tmp_path: Path) -> None:
    """Under its own name and tag; pushing again is fine, and a registry that is not there is named."""
    with Registry.running(tmp_path, progress=ConsoleProgress()) as registry:
        place = f"{registry.address}/team"
        pushed = push(image.built, place, verify_tls=False, progress=NoProgress())
        again = push(image.built, f"{place}/", verify_tls=False, progress=NoProgress())
        tags = registry.tags("team/whatsapp-standin")
    with pytest.raises(BuildError, match=f"the push to {place}/whatsapp-standin"):
        push(image.built, place, verify_tls=False, progress=NoProgress())

    name, _, tag = image.built.reference.removeprefix("localhost/").partition(":")
    assert pushed == again == f"{place}/{name}:{tag}"
    assert tags == [tag]


@pytest.mark.parametrize("image", ["standin"], indirect=True)
def test_a_registry_s_base_is_named_with_its_digest(image: Unpacked, tmp_path: Path) -> None:
    """The digest is the registry's answer; where none answers, nothing is built and none is invented."""
    route = find_route()
    key, _ = make_base(route, progress=NoProgress())
    builder = Buildah(cache_folder() / "images")
    with Registry.running(tmp_path, progress=ConsoleProgress()) as registry:
        name = f"{registry.address}/debian:12"
        builder.push(f"localhost/debian-base:{key}", name, verify_tls=False, log=tmp_path / "log")
        base = PublicBase(name, verify_tls=False)
        built = build(["standin"], progress=ConsoleProgress(), root=image.sources, base=base)["standin"]
        with urllib.request.urlopen(manifest_request(registry.address, "debian", "12")) as answer:
            digest = answer.headers["Docker-Content-Digest"]
    with pytest.raises(BuildError, match="no digest of it"):
        build(["standin"], progress=NoProgress(), root=image.sources, base=base)

    found = manifest(built.archive)["annotations"]
    assert (name, digest) == (found[f"{PREFIX}base.name"], found[f"{PREFIX}base.digest"])
    assert built.reference != image.built.reference


def manifest_request(address: str, name: str, tag: str) -> urllib.request.Request:
    """The question for a manifest, without its content."""
    accepted = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    url = f"http://{address}/v2/{name}/manifests/{tag}"
    return urllib.request.Request(url, method="HEAD", headers={"Accept": accepted})


@pytest.mark.parametrize("image", ["standin"], indirect=True)
def test_an_image_can_be_pushed_from_its_archive_alone(image: Unpacked, tmp_path: Path) -> None:
    """Somebody cleaned the storage: the archive is read back."""
    cache = Path(tempfile.mkdtemp(prefix="images-"))
    try:
        with Registry.running(tmp_path, progress=ConsoleProgress()) as registry:
            push(
                image.built, registry.address, verify_tls=False, progress=NoProgress(), store=Buildah(cache / "images")
            )
            tags = registry.tags("whatsapp-standin")
    finally:
        clean(cache=cache)
        shutil.rmtree(cache)

    assert tags == [image.built.reference.partition(":")[2]]
