"""What a session's proxy, language and time zone make of its pod."""

from typing import Any

from unit.core.fake_cluster import DEFAULTS
from unit.core.objects.pods import container, environment, pod, session
from whatsapp_operator.core.objects.pod import template_hash

PROXY: dict[str, Any] = {"type": "SOCKS5", "host": "fd00::5", "port": 1080, "loginSecretName": "shop-proxy"}


def test_a_proxys_login_is_mounted_and_never_a_variable() -> None:
    """Two entries of the Secret that somebody named; without it the pod starts, and the runner says what is missing."""
    manifest = pod({"proxy": PROXY})

    (volume,) = [volume for volume in manifest["spec"]["volumes"] if volume["name"] == "proxy-login"]
    assert {
        "secretName": "shop-proxy",
        "items": [{"key": "username", "path": "username"}, {"key": "password", "path": "password"}],
        "optional": True,
        "defaultMode": 0o440,
    } == volume["secret"]
    assert {
        "name": "proxy-login",
        "mountPath": "/run/whatsapp-session/proxy-login",
        "readOnly": True,
    } in container(manifest)["volumeMounts"]
    assert {
        "PROXY_TYPE": "SOCKS5",
        "PROXY_HOST": "fd00::5",
        "PROXY_PORT": "1080",
        "PROXY_LOGIN_DIR": "/run/whatsapp-session/proxy-login",
    } == {name: value for name, value in environment(manifest).items() if name.startswith("PROXY_")}
    assert "shop-proxy" not in str(container(manifest))


def test_a_proxy_without_a_login_has_no_volume() -> None:
    """Nor a folder to read one from."""
    manifest = pod({"proxy": {"host": "proxy.example.com", "port": 3128}})

    assert "proxy-login" not in str(manifest)
    assert "HTTP" == environment(manifest)["PROXY_TYPE"]


def test_language_and_time_zone_reach_the_runner() -> None:
    """Those that are set; a pod of before has neither."""
    variables = environment(pod({"browser": {"language": "pt-BR", "timeZone": "America/Sao_Paulo"}}))

    assert ("pt-BR", "America/Sao_Paulo") == (variables["BROWSER_LANGUAGE"], variables["BROWSER_TIME_ZONE"])
    assert not {name for name in environment(pod()) if name.startswith(("BROWSER_", "PROXY_"))}


def test_a_change_of_the_proxy_or_its_secret_waits_for_the_next_pod() -> None:
    """As other edits do; the Secret's own content is no edit."""
    hashes = {
        template_hash(session(spec), DEFAULTS)
        for spec in (
            {},
            {"proxy": PROXY},
            {"proxy": PROXY | {"port": 1081}},
            {"proxy": PROXY | {"loginSecretName": "other"}},
            {"browser": {"language": "de"}},
        )
    }

    assert 5 == len(hashes)
