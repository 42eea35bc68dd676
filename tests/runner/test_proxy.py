"""A session behind a real proxy of each type: it links, says what is wrong with the proxy, and comes back by itself."""

from pathlib import Path

import pytest
from runner.conftest import Start
from runner.outside_servers import PAGE_HOST, outside_servers
from session_protocol.hosts import AllowedHosts
from session_protocol.vocabulary import ProxyType
from session_runner.page.browser import Listeners, open_browser
from session_runner.page.driver import start_driver
from session_runner.page.launch import LaunchPlan, user_agent
from session_runner.proxy.login import PASSWORD, USERNAME
from standin.harness import StandIn
from support.proxies import LOGIN, small_proxy
from support.runner_process import Folders, RunnerProcess, link

PROGRAM = Path("/usr/lib/chromium/chromium-headless-shell")
SURROUNDINGS = """async () => {
  const here = () => [navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone, navigator.userAgent];
  const source = `(${here})()`;
  const worker = new Worker(URL.createObjectURL(new Blob([`postMessage(${source})`])));
  const there = await new Promise(resolve => { worker.onmessage = event => resolve(event.data) });
  return [...here(), new Date(1767225600000).toLocaleDateString(), ...there];
}"""


def write_login(folder: Path, username: str, password: str) -> None:
    """As the kubelet would, of a Secret."""
    folder.mkdir(exist_ok=True)
    (folder / USERNAME).write_text(username)
    (folder / PASSWORD).write_text(password)


def places_of(runner: RunnerProcess, text: str) -> list[str]:
    """Where a text is found: in the log, or in the environment and arguments of the runner and what it started."""
    places = [path for line in runner.lines for path in ("log",) if text in str(line)]
    for pid in (runner.process.pid, *(process.pid for process in runner.descendants())):
        places += [
            f"{pid}/{name}"
            for name in ("environ", "cmdline")
            if text.encode() in Path(f"/proc/{pid}/{name}").read_bytes()
        ]
    return places


@pytest.mark.parametrize("kind", list(ProxyType))
async def test_a_session_lives_behind_a_proxy(
    kind: ProxyType, start: Start, standin: StandIn, folders: Folders
) -> None:
    """With a wrong login first, which is corrected under it; then the proxy goes, and comes back. One pod, one page."""
    login = folders.root / "proxy-login"
    write_login(login, LOGIN[0], "yesterday's")
    async with (
        small_proxy(kind, login=LOGIN) as proxy,
        start(**proxy.variables, PROXY_LOGIN_DIR=str(login)) as runner,
    ):
        refused = await runner.wait_for_state("ProxyError")
        assert "ProxyLoginRefused" == refused["reason"]
        assert f"127.0.0.1:{proxy.port} refuses the login" in refused["message"]

        write_login(login, *LOGIN)
        await link(runner, standin)
        assert {"ProxyError", "QRPending", "Connected"} <= {state for state, _ in runner.seen}

        await proxy.stop()
        away = await runner.wait_for_state("ProxyError", deadline=30)
        assert ("ProxyUnreachable", True) == (away["reason"], away["linked"])

        await proxy.start()
        await runner.wait_for_state("Connected")
        assert set(standin.allowed_hosts) == {host for host, _ in proxy.asked}
        assert [] == [place for text in LOGIN[1:] for place in places_of(runner, text)]
        assert runner.process.returncode is None


async def test_a_proxy_that_forbids_the_page_is_named(start: Start, standin: StandIn) -> None:
    """With the host that it does not let through; one that lets the page through and not its scripts, too."""
    web, static = standin.allowed_hosts
    async with small_proxy(ProxyType.HTTP) as proxy, start(**proxy.variables) as runner:
        proxy.forbidden = {web}
        document = await runner.wait_for_state("ProxyError")
        assert ("ProxyRefused", True) == (document["reason"], f"to {web} (HTTP 403)" in document["message"])

    async with small_proxy(ProxyType.SOCKS5) as proxy, start(**proxy.variables) as runner:
        proxy.forbidden = {static}
        document = await runner.wait_for_state("ProxyError")
        assert ("ProxyRefused", True) == (document["reason"], f"to {static} (not allowed" in document["message"])

        proxy.forbidden = set()
        await runner.wait_for_state("QRPending")


async def test_a_page_learns_its_language_and_time_zone(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the page and its workers; who the browser is stays what it was."""
    monkeypatch.setenv("HOME", str(folders.home))
    agent = user_agent("156.0.1.1")
    plan = LaunchPlan(
        executable=PROGRAM,
        user_data=folders.profile,
        cache_dir=folders.cache,
        allowed_hosts=AllowedHosts((PAGE_HOST,)),
        user_agent=agent,
        language="pt-BR",
        time_zone="America/Sao_Paulo",
    )
    listeners = Listeners(
        woken=lambda _name, _detail: None,
        unfetched=lambda _failure, _of_document: None,
        blocked=lambda: None,
        navigating=lambda _is_pending: None,
        loaded=lambda _is_error: None,
    )
    async with outside_servers() as servers:
        browser = await open_browser(plan, await start_driver(), listeners)
        try:
            await browser.navigate(servers.http(PAGE_HOST, "start"), deadline=60, without_cache=False)
            found = await browser.page.evaluate(SURROUNDINGS)
        finally:
            assert await browser.close(deadline=30)

    where = ["pt-BR", "America/Sao_Paulo", agent]
    assert [*where, "31/12/2025", *where] == found
    assert {"pt-BR"} == servers.languages
