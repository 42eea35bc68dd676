"""Where this machine gets Debian's packages from, so that debootstrap and the image builds go the same way.

A machine may use a mirror, a proxy, or a proxy with a certificate authority of its own. None of that is written down in
this repository: it is asked of apt each time.
"""

import dataclasses
import re
from pathlib import Path
from typing import Final, Self

from session_devtools.build.cache import content_key, entry, files_of
from session_devtools.commands import run
from session_devtools.errors import MachineError
from session_devtools.progress import NoProgress

SUITE: Final = "bookworm"
SUITES: Final = (SUITE, f"{SUITE}-security", f"{SUITE}-updates")

# The codename, for a sources.list may say "oldstable" and mean bookworm.
_FORMAT: Final = "$(REPO_URI) $(CODENAME) $(COMPONENT)"
_ROUTE: Final = re.compile(r'^Acquire::(?:http|https)(?:::\S+)?::(?:Proxy|Proxy-Auto-Detect|CaInfo) "[^"]*";$')
HOST_CA: Final = "/host-ca.crt"
""" Where a build sees the machine's certificate bundle, if it has to. """


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """One line of a sources.list; of the components only main is used."""

    uri: str
    suite: str

    @property
    def line(self) -> str:
        """As apt reads it."""
        return f"deb {self.uri} {self.suite} main"


@dataclasses.dataclass(frozen=True, kw_only=True)
class AptRoute:
    """The machine's Debian sources, and the settings that lead to them."""

    sources: tuple[Source, ...]
    settings: tuple[str, ...] = ()
    """ Lines of apt.conf: proxies and the like. """

    @classmethod
    def parse(cls, *, targets: str, config: str) -> Self:
        """From the output of `apt-get indextargets` in our format, and of `apt-config dump`.

        :raises MachineError: the machine lacks something.
        """
        found = {
            Source(uri=uri, suite=codename)
            for uri, codename, component in (line.split() for line in targets.splitlines())
            if codename in SUITES and component == "main"
        }
        sources = tuple(sorted(found, key=lambda source: (source.suite, source.uri)))
        if not any(source.suite == SUITE for source in sources):
            raise MachineError(
                f"apt on this machine knows no Debian {SUITE} main, which the images are made of: run `apt-get update` on a"
                " Debian 12 machine, or build the Dockerfiles with docker or podman on their default base"
            )
        return cls(sources=sources, settings=tuple(line for line in config.splitlines() if _ROUTE.match(line)))

    def at(self, snapshot: str) -> "AptRoute":
        """The same way to a snapshot of Debian's archive instead of its mirror.

        The snapshot's security archive has its own address, as snapshot.debian.org has it; an address without /debian/
        serves everything in one suite.
        """
        address = snapshot.rstrip("/")
        sources = [Source(uri=address, suite=SUITE)]
        if "/debian/" in f"{address}/":
            security = f"{address}/".replace("/debian/", "/debian-security/", 1).rstrip("/")
            sources += [
                Source(uri=security, suite=f"{SUITE}-security"),
                Source(uri=address, suite=f"{SUITE}-updates"),
            ]
        return dataclasses.replace(self, sources=tuple(sources))

    @property
    def mirror(self) -> str:
        """Where debootstrap finds the suite."""
        return next(source.uri for source in self.sources if source.suite == SUITE)

    @property
    def is_encrypted(self) -> bool:
        """Whether any source is reached over https, which takes a certificate bundle that a bare base lacks."""
        return any(source.uri.startswith("https:") for source in self.sources)

    @property
    def sources_list(self) -> str:
        """A whole sources.list."""
        return "".join(f"{source.line}\n" for source in self.sources)

    @property
    def apt_conf(self) -> str:
        """A whole apt.conf, for a build; empty if the build needs none."""
        own = (f'Acquire::https::CaInfo "{HOST_CA}";',) if self.is_encrypted else ()
        kept = (line for line in self.settings if not own or "::CaInfo" not in line)
        return "".join(f"{line}\n" for line in (*kept, *own))

    def certificate_bundle(self) -> Path | None:
        """The machine's own bundle if a build needs it."""
        bundle = Path("/etc/ssl/certs/ca-certificates.crt")
        return bundle if self.is_encrypted and bundle.exists() else None

    def proxies(self) -> dict[str, str]:
        """Apt's general proxies as the variables that debootstrap's wget reads."""
        found = (re.match(r'^Acquire::(https?)::Proxy "(.+)";$', line) for line in self.settings)
        return {f"{match[1]}_proxy": match[2] for match in found if match and match[2] != "DIRECT"}


def find_route(*, cache: Path | None = None, etc: Path = Path("/etc/apt")) -> AptRoute:
    """Ask apt, or read what it said when its configuration was the same: it takes a second to think.

    :raises MachineError: on a machine without Debian's bookworm.
    :raises CommandError: apt fails.
    """

    def fill(folder: Path) -> None:
        targets, config = _query_apt()
        (folder / "targets").write_text(targets)
        (folder / "config").write_text(config)

    folder = entry(f"apt-{content_key(files=files_of(etc))}", fill, progress=NoProgress(), cache=cache)
    return AptRoute.parse(targets=(folder / "targets").read_text(), config=(folder / "config").read_text())


def _query_apt() -> tuple[str, str]:
    command = ("apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages", "Origin: Debian")
    config = run("apt-config", "dump", "Acquire")
    targets = run(*command)
    try:
        AptRoute.parse(targets=targets, config=config)
    except MachineError:
        # A new machine has never fetched the lists that say which suites its sources are.
        run("apt-get", "update", "-o", "DPkg::Lock::Timeout=300", timeout=600)
        targets = run(*command)
        AptRoute.parse(targets=targets, config=config)  # not cached if it fails again
    return targets, config
