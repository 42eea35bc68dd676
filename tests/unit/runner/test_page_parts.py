"""What is decided before the browser starts: flags, user agent, scripts, the driver's environment."""

import hashlib
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from session_protocol.hosts import AllowedHosts
from session_runner.page import scripts
from session_runner.page.browser import event
from session_runner.page.driver import PRELOAD, browser_environment, tune_driver
from session_runner.page.launch import LaunchPlan, shared_memory_size, unwanted_defaults, user_agent

PLAN = LaunchPlan(
    executable=Path("/browser"),
    user_data=Path("/profile/chromium"),
    cache_dir=Path("/cache"),
    allowed_hosts=AllowedHosts.parse("web.example"),
    user_agent="UA",
)


def test_the_user_agent_has_the_real_major_version_and_no_headless() -> None:
    """WhatsApp refuses HeadlessChrome; the rest of it tells the truth."""
    made = user_agent("156.0.8078.79")

    assert "Chrome/156.0.0.0 " in made
    assert "Headless" not in made


def test_the_script_of_the_page_is_ascii() -> None:
    """One other character, and driver and page keep all of it, wa-js included, in two bytes per character."""
    assert scripts.init_script().isascii()


def test_the_flags_keep_the_rules() -> None:
    """Hosts are bound in the resolver, proxies and UDP are off, the cache lies off the profile, nothing weakens security."""
    arguments = PLAN.arguments

    assert "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE web.example" in arguments
    assert "--no-proxy-server" in arguments
    assert "--force-webrtc-ip-handling-policy=disable_non_proxied_udp" in arguments
    assert "--disk-cache-dir=/cache/http" in arguments
    assert {"--in-process-gpu", "--no-zygote"} <= set(arguments)  # a process each is memory for every session
    assert not {
        "--ignore-certificate-errors",
        "--disable-web-security",
        "--disable-site-isolation-trials",
        "--single-process",
    }.intersection(arguments)
    assert not [argument for argument in arguments if argument.startswith("--disable-features")]


def test_with_the_sandbox_one_zygote_stays() -> None:
    """The page's process comes from it; nothing else changes."""
    arguments = replace(PLAN, sandbox=True).arguments

    assert ({"--no-zygote"}, {"--no-unsandboxed-zygote"}) == (
        set(PLAN.arguments) - set(arguments),
        set(arguments) - set(PLAN.arguments),
    )
    assert "--no-sandbox" not in arguments


@pytest.mark.parametrize(("megabytes", "kept"), [(0, True), (64, True), (128, False)])
def test_shared_memory_is_used_where_there_is_enough(megabytes: int, *, kept: bool) -> None:
    """Playwright's flag against a small /dev/shm stays unless /dev/shm is large enough."""
    assert kept is ("--disable-dev-shm-usage" not in unwanted_defaults(shared_memory=megabytes * 2**20))


def test_the_size_of_shared_memory_is_measured(tmp_path: Path) -> None:
    """An absent file system has none."""
    assert shared_memory_size(str(tmp_path)) > 0
    assert shared_memory_size(str(tmp_path / "absent")) == 0


def test_the_vendored_library_is_the_released_one() -> None:
    """Unmodified wa-js 4.6.0, with its licence and its third-party notices beside it."""
    folder = resources.files("session_runner.page.wa_js")
    digest = hashlib.sha256((folder / "wppconnect-wa.js").read_bytes()).hexdigest()

    assert digest == scripts.WA_JS_SHA256
    assert "Apache License" in (folder / "LICENSE").read_text()
    assert "Licensed under" in (folder / "wppconnect-wa.js.LICENSE.txt").read_text()


def test_the_init_script_has_its_order() -> None:
    """Settings, library, bridge, what needs the bridge: the library reads its settings once."""
    text = scripts.init_script()
    places = ["disableGoogleAnalytics: true", scripts.wa_js()[:200], "WPP.onAny(", "IDBFactory", "markUnavailable()"]

    assert sorted(text.index(place) for place in places[:4]) == [text.index(place) for place in places[:4]]
    assert text.rindex(places[4]) > text.index(places[3])


def test_each_document_begins_as_one_that_nobody_looks_at() -> None:
    """Whatever the session's settings say: they follow when it is connected, and may change."""
    ours = scripts.init_script().replace(scripts.wa_js(), "")

    assert (True, False) == ("markUnavailable" in ours, "markAvailable" in ours)


def test_the_bridge_calls_the_binding_that_is_exposed() -> None:
    """The name in the script and the name in Python are one."""
    assert f"window.{scripts.BINDING}(" in scripts.script("bridge.js")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("ref", None), ("ref", None)),
        (("logout_reason", "account_locked"), ("logout_reason", "account_locked")),
        ((), ("None", None)),
        ((5, {"told": 1}, 6), ("5", None)),
        (("n" * 99, "d" * 99), ("n" * 60, "d" * 60)),
    ],
)
def test_an_event_is_two_short_texts(given: tuple[object, ...], expected: tuple[str, str | None]) -> None:
    """Whatever the page calls the binding with."""
    assert expected == event(given)


def test_the_scripts_know_no_name_of_a_test_page() -> None:
    """The runner relies on wa-js and on the real page's modules alone."""
    ours = [path for path in resources.files(scripts).iterdir() if path.name.endswith(".js")]

    assert {"bridge.js", "modules.js", "probe.js"} <= {path.name for path in ours}
    for path in ours:
        assert "standin" not in path.read_text().lower()
        assert "location.reload" not in path.read_text()


def test_the_driver_gets_its_settings_once() -> None:
    """What somebody has set before stays."""
    environment = {"NODE_OPTIONS": "--mine"}
    tune_driver(environment)

    assert environment["NODE_OPTIONS"] == "--mine"
    assert environment["MALLOC_ARENA_MAX"] == "1"
    assert PRELOAD.is_file()


def test_the_browser_learns_no_setting() -> None:
    """Tokens' paths, UIDs and the driver's options stay out of the browser's environment."""
    got = browser_environment(
        {"HOME": "/h", "TOKEN_DIR": "/t", "NODE_OPTIONS": "x", "SESSION_UID": "s", "PATH": "/bin"}
    )

    assert got == {"LANG": "C.UTF-8", "HOME": "/h", "PATH": "/bin"}
