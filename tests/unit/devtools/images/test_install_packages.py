"""The script that installs an image's Debian packages, with apt itself, on a small archive and in a folder of its own."""

import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from session_devtools.images.definitions import ROOT

SCRIPT = ROOT / "requirements/debian/install-packages"
RELEASE = Path("/etc/os-release")
APT_CONF = """\
Dir "{root}";
Dir::State::status "{root}/var/lib/dpkg/status";
DPkg::Options {{ "--root={root}"; }};
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "true";
Acquire::AllowInsecureRepositories "true";
Acquire::Retries "0";
Acquire::http::Proxy "DIRECT";
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("apt-get") is None, reason="installs Debian's packages into a folder, as root"
    ),
    pytest.mark.timeout(120),
]


def suite() -> str:
    """Return what Debian this is, which the script asks as well."""
    lines = RELEASE.read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("VERSION_CODENAME="))


def architecture() -> str:
    """Return the machine's, in Debian's words."""
    return subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()


class Archive:
    """An archive below a folder that is served: packages by name, version and what they depend on."""

    def __init__(self, folder: Path, packages: dict[str, str], *, suite_name: str, depends: str = "") -> None:
        entries = []
        for name, version in packages.items():
            tree = folder / "trees" / name
            (tree / "DEBIAN").mkdir(parents=True)
            (tree / "usr/share" / name).mkdir(parents=True)
            (tree / "usr/share" / name / "version").write_text(version)
            control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: x <x@localhost>\n"
            needs = f"Depends: {depends}\n" if depends and name == "browser" else ""
            (tree / "DEBIAN/control").write_text(f"{control}{needs}Description: a test\n")
            file = folder / "pool" / f"{name}_{version}_all.deb"
            file.parent.mkdir(exist_ok=True)
            subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, file], check=True, capture_output=True)
            content = file.read_bytes()
            entries.append(
                f"{control}{needs}Filename: pool/{file.name}\nSize: {len(content)}\n"
                f"SHA256: {hashlib.sha256(content).hexdigest()}\nDescription: a test\n"
            )
        text = "\n".join(entries)
        until = "" if folder.name == "mirror" else "Valid-Until: Mon, 08 Jan 2024 00:00:00 UTC\n"
        listed = folder / "dists" / suite_name
        (listed / f"main/binary-{architecture()}").mkdir(parents=True)
        (listed / f"main/binary-{architecture()}/Packages").write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        (listed / "Release").write_text(
            f"Codename: {suite_name}\nSuite: {suite_name}\nComponents: main\nArchitectures: {architecture()}\n"
            f"Date: Mon, 01 Jan 2024 00:00:00 UTC\n{until}"
            f"SHA256:\n {digest} {len(text)} main/binary-{architecture()}/Packages\n"
        )


class Machine:
    """A bare Debian in a folder, a web server beside it, and the files that the script reads."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address, self.root = folder, address, folder / "root"
        for name in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/apt/lists/partial", "etc/apt", "tmp"):
            (self.root / name).mkdir(parents=True)
        for name in ("var/cache/apt/archives/partial", "var/log/apt"):
            (self.root / name).mkdir(parents=True)
        (self.root / "var/lib/dpkg/status").touch()
        (self.root / "apt.conf").write_text(APT_CONF.format(root=self.root))
        self.build = folder / "build"
        self.build.mkdir()
        shutil.copy(SCRIPT, self.build)
        self.wants("browser")

    def archive(self, path: str, packages: dict[str, str], *, suite_name: str | None = None, depends: str = "") -> str:
        """Serve an archive below this path; its address."""
        Archive(self.folder / "served" / path, packages, suite_name=suite_name or suite(), depends=depends)
        return f"{self.address}/{path}"

    def mirror(self, packages: dict[str, str], *, depends: str = "") -> None:
        """Have a mirror with these packages among the machine's own sources."""
        address = self.archive("mirror", packages, depends=depends)
        (self.root / "etc/apt/sources.list").write_text(f"deb {address} {suite()} main\n")

    def wants(self, *packages: str) -> None:
        """What the image needs."""
        (self.build / "image.in").write_text("# why\n" + "".join(f"{package}  # for this\n" for package in packages))

    def locks(self, *, architecture_name: str | None = None, **packages: str) -> None:
        """What the file says."""
        lines = [f"# architecture: {architecture_name or architecture()}", *(f"{n}={v}" for n, v in packages.items())]
        (self.build / "image.txt").write_text("\n".join([*lines, ""]))

    def install(self, *, snapshot: str = "") -> subprocess.CompletedProcess[str]:
        """Run the script as a Dockerfile does."""
        return subprocess.run(
            ["sh", self.build / "install-packages", "image", self.root / "noted"],
            env={
                "PATH": os.environ["PATH"],
                "APT_CONFIG": str(self.root / "apt.conf"),
                "DPKG_ADMINDIR": str(self.root / "var/lib/dpkg"),
                "DEBIAN_SNAPSHOT": snapshot,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def installed(self) -> dict[str, str]:
        """The versions that are there, by name."""
        shown = ["dpkg-query", f"--admindir={self.root}/var/lib/dpkg", "--show", "--showformat=${Package} ${Version}\n"]
        lines = subprocess.run(shown, capture_output=True, text=True, check=False).stdout.splitlines()
        return dict(line.split() for line in lines)

    @property
    def noted(self) -> list[str]:
        """The differences that were left in the image."""
        return (self.root / "noted/debian-differences").read_text().splitlines()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A web server that says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A bare Debian, with a web server on this machine."""
    served = tmp_path / "served"
    served.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(served)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Machine(tmp_path, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_mirror_s_newest_is_taken_and_the_difference_is_shown(machine: Machine) -> None:
    """Printed, noted in the image, and no error: there is nothing else to be had."""
    machine.mirror({"browser": "157-1", "libx": "1:2+b1"}, depends="libx")
    machine.locks(browser="156-1", gone="3")
    done = machine.install()

    assert 0 == done.returncode, done.stdout + done.stderr
    assert {"browser": "157-1", "libx": "1:2+b1"} == machine.installed()
    expected = ["browser 157-1 instead of 156-1", "gone 3 is missing", "libx 1:2+b1 is not in the file"]
    assert expected == machine.noted
    assert "image: 3 packages differ from image.txt:\n" + "\n".join(expected) in done.stdout


def test_a_mirror_that_has_what_the_file_says_is_no_news(machine: Machine) -> None:
    """Nothing is noted."""
    machine.mirror({"browser": "156-1", "libx": "2"}, depends="libx")
    machine.locks(browser="156-1", libx="2")
    done = machine.install()

    assert 0 == done.returncode, done.stdout + done.stderr
    assert [] == machine.noted
    assert "all packages are those of image.txt" in done.stdout


def test_a_stage_without_a_file_compares_nothing(machine: Machine) -> None:
    """What it installs gets into no image."""
    machine.mirror({"browser": "156-1"})
    done = machine.install()

    assert 0 == done.returncode, done.stdout + done.stderr
    assert {"browser": "156-1"} == machine.installed()
    assert not (machine.root / "noted").exists()


def test_a_snapshot_gives_exactly_the_file_s_versions(machine: Machine) -> None:
    """An old one whose signature has run out, although the mirror is newer and the base has the newer one already."""
    machine.mirror({"browser": "157-1", "libx": "3"}, depends="libx")
    assert 0 == machine.install().returncode
    snapshot = machine.archive("old", {"browser": "156-1", "libx": "2"}, depends="libx")
    machine.locks(browser="156-1", libx="2")
    done = machine.install(snapshot=f"{snapshot}/")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert {"browser": "156-1", "libx": "2"} == machine.installed()
    assert [] == machine.noted


def test_security_updates_have_an_archive_beside_the_snapshot(machine: Machine) -> None:
    """As snapshot.debian.org has it: the same address with another word."""
    machine.archive("debian/20260101T000000Z", {"libx": "2"})
    machine.archive("debian/20260101T000000Z", {"liby": "4"}, suite_name=f"{suite()}-updates")
    machine.archive(
        "debian-security/20260101T000000Z", {"browser": "156-1"}, suite_name=f"{suite()}-security", depends="libx, liby"
    )
    machine.locks(browser="156-1", libx="2", liby="4")
    done = machine.install(snapshot=f"{machine.address}/debian/20260101T000000Z")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert {"browser": "156-1", "libx": "2", "liby": "4"} == machine.installed()


@pytest.mark.parametrize(
    ("locked", "expected"),
    [
        ({"browser": "155-1", "libx": "2"}, "does not have what image.txt names"),  # no such version
        ({"browser": "156-1", "libx": "2", "liby": "1"}, "does not have what image.txt names"),  # no such package
        ({"browser": "156-1"}, "libx 2 is not in the file"),  # the file is not complete
        ({"libx": "2"}, "browser 156-1 is not in the file"),  # it is not even what is wanted
    ],
)
def test_a_snapshot_that_differs_fails_the_build(machine: Machine, locked: dict[str, str], expected: str) -> None:
    """Whatever it is: nothing that only nearly is what the file says."""
    snapshot = machine.archive("old", {"browser": "156-1", "libx": "2"}, depends="libx")
    machine.locks(**locked)
    done = machine.install(snapshot=snapshot)

    assert 0 != done.returncode
    assert expected in done.stdout + done.stderr
    assert "DEBIAN_SNAPSHOT" in done.stderr


def test_what_the_base_has_beyond_the_file_fails_as_well(machine: Machine) -> None:
    """A package that nobody named is one that nobody looked at."""
    machine.mirror({"stranger": "1"})
    machine.wants("stranger")
    assert 0 == machine.install().returncode
    machine.wants("browser")
    machine.locks(browser="156-1")
    done = machine.install(snapshot=machine.archive("old", {"browser": "156-1"}))

    assert 0 != done.returncode
    assert "stranger 1 is not in the file" in done.stdout


def test_a_file_of_another_architecture_is_not_for_this_one(machine: Machine) -> None:
    """Versions differ between them now and then; without a snapshot that is a difference like others."""
    machine.locks(architecture_name="sparc", browser="156-1")
    snapshot = machine.archive("old", {"browser": "156-1"})
    done = machine.install(snapshot=snapshot)

    assert 0 != done.returncode
    assert "image.txt is for sparc" in done.stderr
    assert {} == machine.installed()


@pytest.mark.parametrize("path", ["nowhere", "debian/nowhere"])
def test_an_archive_that_is_not_there_fails(machine: Machine, path: str) -> None:
    """Not with the packages of yesterday's lists."""
    machine.locks(browser="156-1")
    done = machine.install(snapshot=f"{machine.address}/{path}")

    assert 0 != done.returncode
    assert {} == machine.installed()


def test_an_empty_package_stands_in_for_what_is_not_wanted(machine: Machine) -> None:
    """Others depend on it; it is neither installed nor compared."""
    machine.mirror({"browser": "156-1", "desktop": "9", "x-utils": "9"}, depends="desktop, x-utils")
    machine.wants("browser", "!desktop", "!x-utils")
    machine.locks(browser="156-1")
    done = machine.install()

    assert 0 == done.returncode, done.stdout + done.stderr
    assert {"browser": "156-1", "no-desktop": "1"} == machine.installed()
    assert [] == machine.noted
