"""Where Debian's packages come from: asked of apt, written nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from session_devtools.errors import MachineError
from session_devtools.images.apt import HOST_CA, AptRoute, Source

TARGETS = """\
http://mirror.example/debian/ bookworm main
http://mirror.example/debian/ bookworm contrib
http://mirror.example/debian/ bookworm-updates main
http://mirror.example/security/ bookworm-security main
http://mirror.example/debian/ bookworm-backports main
http://mirror.example/debian/ trixie main
"""
CONFIG = """\
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::Proxy "DIRECT";
Acquire::https::mirror.example::CaInfo "/etc/ca.pem";
Acquire::Languages "en";
Acquire::Retries "3";
"""


def test_only_bookworm_main_is_taken() -> None:
    """Backports, another release or another component would put other versions into the images."""
    route = AptRoute.parse(targets=TARGETS, config="")

    assert (
        "deb http://mirror.example/debian/ bookworm main\n"
        "deb http://mirror.example/security/ bookworm-security main\n"
        "deb http://mirror.example/debian/ bookworm-updates main\n"
    ) == route.sources_list


def test_debootstrap_goes_to_the_suite_itself() -> None:
    """Not to the mirror of its security updates."""
    assert "http://mirror.example/debian/" == AptRoute.parse(targets=TARGETS, config="").mirror


def test_a_source_named_twice_counts_once() -> None:
    """A machine may list a suite in two files."""
    route = AptRoute.parse(targets=TARGETS + TARGETS, config="")

    assert 3 == len(route.sources)


@pytest.mark.parametrize("targets", ["", "http://mirror.example/debian/ trixie main\n"])
def test_a_machine_without_bookworm_gets_advice(targets: str) -> None:
    """Another Debian, or none: the message names both ways out."""
    with pytest.raises(MachineError, match=r"knows no Debian bookworm.*apt-get update.*docker or podman"):
        AptRoute.parse(targets=targets, config="")


def test_of_the_settings_only_the_way_to_the_mirror_is_kept() -> None:
    """Proxies and authorities lead to the packages; the rest of a machine's taste does not belong into a build."""
    route = AptRoute.parse(targets=TARGETS, config=CONFIG)

    assert CONFIG.splitlines()[:3] == list(route.settings)
    assert "".join(f"{line}\n" for line in CONFIG.splitlines()[:3]) == route.apt_conf


def test_debootstrap_gets_the_proxies_as_its_downloader_reads_them() -> None:
    """Wget knows no apt.conf; "DIRECT" means none."""
    assert {"http_proxy": "http://proxy.example:3128"} == AptRoute.parse(targets=TARGETS, config=CONFIG).proxies()


def test_a_plain_machine_needs_no_settings() -> None:
    """No proxy, no https: nothing is mounted into the build."""
    route = AptRoute.parse(targets=TARGETS, config="")

    assert "" == route.apt_conf
    assert route.certificate_bundle() is None
    assert {} == route.proxies()


def test_encrypted_sources_bring_the_machines_own_authorities() -> None:
    """A bare base trusts nobody: the build reads the machine's bundle, and no path that only the machine has."""
    route = AptRoute.parse(targets=TARGETS.replace("http:", "https:"), config=CONFIG)

    assert route.is_encrypted
    assert f'Acquire::https::CaInfo "{HOST_CA}";\n' in route.apt_conf
    assert "/etc/ca.pem" not in route.apt_conf


@given(st.lists(st.sampled_from(["bookworm", "bookworm-security", "bookworm-updates"]), unique=True))
def test_the_sources_do_not_depend_on_their_order(suites: list[str]) -> None:
    """The list decides the base's key, and apt may print its targets in any order."""
    lines = [f"http://mirror.example/{suite}/ {suite} main" for suite in ["bookworm", *suites]]

    forwards = AptRoute.parse(targets="\n".join(lines), config="")
    backwards = AptRoute.parse(targets="\n".join(reversed(lines)), config="")

    assert forwards == backwards


def test_a_source_is_one_line() -> None:
    """As sources.list wants it."""
    assert "deb http://m/ bookworm main" == Source(uri="http://m/", suite="bookworm").line


@pytest.mark.parametrize(
    ("snapshot", "sources"),
    [
        (
            "http://snapshot.example/archive/debian/20260101T000000Z/",
            """\
deb http://snapshot.example/archive/debian/20260101T000000Z bookworm main
deb http://snapshot.example/archive/debian-security/20260101T000000Z bookworm-security main
deb http://snapshot.example/archive/debian/20260101T000000Z bookworm-updates main
""",
        ),
        ("http://mirror.example/frozen", "deb http://mirror.example/frozen bookworm main\n"),
        (
            "http://mirror.example/debian/",
            """\
deb http://mirror.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main
deb http://mirror.example/debian bookworm-updates main
""",
        ),
    ],
)
def test_a_snapshot_takes_the_mirror_s_place(snapshot: str, sources: str) -> None:
    """Its security archive has an address of its own; the way there is the machine's."""
    settings = ('Acquire::http::Proxy "http://proxy.example:3128";',)
    route = AptRoute(sources=(Source(uri="http://mirror.example/debian", suite="bookworm"),), settings=settings)

    assert sources == route.at(snapshot).sources_list
    assert settings == route.at(snapshot).settings
