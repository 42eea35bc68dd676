"""Settings: what the environment says, what is refused with which words, and the page that documents them."""

from datetime import timedelta
from pathlib import Path

import pytest
from standin.certificates import make_certificates
from whatsapp_operator.app.settings import BadSettings, Settings, load
from whatsapp_operator.core.model import Allowed


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with nothing set but what is required."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("RUNNER_IMAGE", "runner:1")


def authority(folder: Path) -> str:
    """The certificate of a new authority, in PEM form."""
    return make_certificates(hosts=["web.localhost"], directory=folder).ca.read_text()


def test_the_defaults_are_the_documented_ones() -> None:
    """With nothing but the image: a resync a minute, a Lease of ten seconds, the real page."""
    settings = load()

    assert timedelta(seconds=60) == settings.resync_interval
    assert timedelta(seconds=10) == settings.lease_times().duration
    assert "https://web.whatsapp.com/" == settings.defaults().page_url
    assert ("whatsapp-operator", "whatsapp-operator-keys") == (settings.object_name, settings.key_secret)


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its field's name in capitals."""
    for name, value in {
        "WATCH_NAMESPACES": "shop, demo,,shop",
        "RESYNC_INTERVAL": "1500ms",
        "INSTANCE": "demo",
        "WORKERS": "3",
        "ALLOWED_HOSTS": "web.standin.localhost",
        "WHATSAPP_WEB_URL": "https://web.standin.localhost:8443/",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load()

    assert ("shop", "demo") == settings.watch_namespaces
    assert timedelta(seconds=1.5) == settings.resync_interval
    assert ("whatsapp-operator-demo", "whatsapp-operator-demo-keys") == (settings.object_name, settings.key_secret)
    assert 3 == settings.workers
    assert "web.standin.localhost" == settings.defaults().allowed_hosts
    assert "https://web.standin.localhost:8443/" == settings.defaults().page_url


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest that leaves a value empty means the default."""
    monkeypatch.setenv("RESYNC_INTERVAL", "")
    monkeypatch.setenv("WATCH_NAMESPACES", "")

    assert (timedelta(seconds=60), ()) == (load().resync_interval, load().watch_namespaces)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RESYNC_INTERVAL", "60", "RESYNC_INTERVAL: should be a duration such as 30s, 5m or 1h30m"),
        ("RESYNC_INTERVAL", "2m", "RESYNC_INTERVAL: should be at most 1m"),
        ("RESYNC_INTERVAL", "0s", "RESYNC_INTERVAL: should be longer than zero"),
        ("WATCH_NAMESPACES", "shop,Demo", "WATCH_NAMESPACES_1: should be a DNS label"),
        ("INSTANCE", "a_b", "INSTANCE: should be a DNS label"),
        ("WORKERS", "0", "WORKERS: "),
        ("WORKERS", "many", "WORKERS: "),
        ("HTTP_PORT", "70000", "HTTP_PORT: "),
        ("WHATSAPP_WEB_URL", "http://web.whatsapp.com/", "WHATSAPP_WEB_URL: "),
        ("LOG_LEVEL", "loud", "LOG_LEVEL: "),
        ("RUNNER_IMAGE_PULL_POLICY", "sometimes", "RUNNER_IMAGE_PULL_POLICY: "),
        ("LEASE_DURATION", "6s", "renew deadline < duration"),
        ("LEASE_RENEW_INTERVAL", "5s", "renewed often enough"),
    ],
)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    """The message has the variable's name and what would be right."""
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSettings, match=message.replace("(", r"\(")):
        load()


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at the log is enough to mend them."""
    monkeypatch.setenv("WORKERS", "0")
    monkeypatch.setenv("HTTP_PORT", "-1")

    with pytest.raises(BadSettings, match=r"WORKERS: .*; HTTP_PORT: "):
        load()


def test_a_missing_image_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The only setting without a default."""
    monkeypatch.delenv("RUNNER_IMAGE")

    with pytest.raises(BadSettings, match="RUNNER_IMAGE is not set"):
        load()


def test_a_bad_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may have put a secret into the wrong variable."""
    monkeypatch.setenv("WORKERS", "hunter2")

    with pytest.raises(BadSettings) as raised:
        load()

    assert "hunter2" not in str(raised.value)


def test_the_extra_ca_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its text, of several authorities too, goes into each session's Secret as it is."""
    path = tmp_path / "bundle.crt"
    path.write_text(f"# ours\n{authority(tmp_path / 'a')}# theirs\n{authority(tmp_path / 'b')}")
    monkeypatch.setenv("EXTRA_CA_FILE", str(path))

    assert path.read_text() == load().defaults().extra_ca


def test_a_damaged_authority_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that was cut off looks like a certificate and is none; no runner could start with it."""
    path = tmp_path / "ca.crt"
    lines = authority(tmp_path / "a").splitlines()
    path.write_text("\n".join([*lines[:4], lines[-1], ""]))
    monkeypatch.setenv("EXTRA_CA_FILE", str(path))

    with pytest.raises(BadSettings, match=r"EXTRA_CA_FILE: .* has a damaged certificate: replace the file"):
        load().defaults()


@pytest.mark.parametrize("content", [None, b"", b"not a certificate", b"\xff\xfe"])
def test_a_useless_ca_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None) -> None:
    """At start, and not by every runner."""
    path = tmp_path / "ca.crt"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("EXTRA_CA_FILE", str(path))

    with pytest.raises(BadSettings, match="EXTRA_CA_FILE"):
        load().defaults()


def test_every_setting_says_what_it_is_for() -> None:
    """Meaning and consequence, for each."""
    short = [name for name, field in Settings.model_fields.items() if len(str(field.description or "")) < 20]

    assert [] == short


@pytest.mark.parametrize(
    ("given", "advised"),
    [
        ({}, False),
        ({"watch_namespaces": "shop"}, True),
        ({"instance": "demo"}, False),
        ({"watch_namespaces": "shop", "instance": "demo"}, False),
    ],
)
def test_operators_that_could_share_quotas_are_warned_of(given: dict[str, str], *, advised: bool) -> None:
    """Namespaces without an instance: allowed, for it may be the only operator, and told with what to do."""
    advice = load(runner_image="x", **given).advice()

    assert advised is bool(advice)
    assert all("INSTANCE" in text and "wasession.dev/instance" in text for text in advice)


def test_what_is_allowed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists by comma; nothing set allows what the page says."""
    assert Allowed() == load().defaults().allowed
    monkeypatch.setenv("ALLOWED_IMAGES", "registry.example.com/team/, ghcr.io/x/y@sha256:ab")
    monkeypatch.setenv("ALLOWED_PRIORITY_CLASSES", "high")
    monkeypatch.setenv("ALLOWED_ANNOTATIONS", "karpenter.sh/,note")

    expected = Allowed(
        images=("registry.example.com/team/", "ghcr.io/x/y@sha256:ab"),
        priority_classes=("high",),
        annotations=("karpenter.sh/", "note"),
    )
    assert expected == load().defaults().allowed


@pytest.mark.parametrize("entry", ["https://registry.example.com/team", "registry.example.com/*", "a b/c"])
def test_an_image_that_could_match_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    """A pattern of another form would silently forbid everything."""
    monkeypatch.setenv("ALLOWED_IMAGES", entry)

    with pytest.raises(BadSettings, match="ALLOWED_IMAGES: should name registries or images"):
        load()


def test_sandbox_and_user_namespaces_are_off_until_somebody_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """They need something of the nodes; the profile's place has a default that the shipped component fills."""
    before = load().defaults()
    monkeypatch.setenv("BROWSER_SANDBOX", "true")
    monkeypatch.setenv("USER_NAMESPACES", "true")
    monkeypatch.setenv("BROWSER_SECCOMP_PROFILE", "operator/chromium.json")
    after = load().defaults()

    assert (False, False, "whatsapp-session-operator/chromium-sandbox.json") == (
        before.browser_sandbox,
        before.user_namespaces,
        before.browser_seccomp_profile,
    )
    assert (True, True, "operator/chromium.json") == (
        after.browser_sandbox,
        after.user_namespaces,
        after.browser_seccomp_profile,
    )


@pytest.mark.parametrize(
    "path", ["/var/lib/kubelet/seccomp/a.json", "../a.json", "a/../../b.json", "a//b.json", "a b.json", "a" * 254]
)
def test_a_profile_is_named_below_the_kubelets_folder(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server would refuse every pod otherwise."""
    monkeypatch.setenv("BROWSER_SECCOMP_PROFILE", path)

    with pytest.raises(BadSettings, match="BROWSER_SECCOMP_PROFILE"):
        load()
