"""The one port: what the kubelet and Prometheus hear."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from whatsapp_operator.app.probes import Health, Probes, Role
from whatsapp_operator.runtime.process.metrics import Metrics


class ProbesHarness:
    """Probes over a health that a test sets."""

    def __init__(self, *, token_file: Path | None = None) -> None:
        self.health = Health(role=Role.ACTING, resync_age=1.25)
        self.metrics = Metrics()
        self.measured = 0
        self.port = 0
        self.content_type = ""
        """ Of the last answer. """
        self.probes = Probes(
            health=lambda: self.health, measure=self._measure, metrics=self.metrics, token_file=token_file
        )

    def _measure(self) -> None:
        self.measured += 1

    async def get(self, path: str, *, accept: str = "*/*", token: str | None = None) -> tuple[int, str]:
        """Ask."""
        url, headers = f"http://127.0.0.1:{self.port}{path}", {"Accept": accept}
        headers |= {"Authorization": f"Bearer {token}"} if token is not None else {}
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
            self.content_type = response.headers["Content-Type"]
            return response.status, await response.text()


@pytest.fixture
async def harness() -> AsyncIterator[ProbesHarness]:
    """Probes that are served."""
    harness = ProbesHarness()
    harness.port = await harness.probes.start(address="127.0.0.1", port=0)
    yield harness
    await harness.probes.stop()


@pytest.mark.parametrize(
    ("health", "healthz", "readyz"),
    [
        (Health(role=Role.STARTING), 200, 503),
        (Health(role=Role.STANDBY), 200, 200),
        (Health(role=Role.SYNCING), 200, 503),
        (Health(role=Role.ACTING), 200, 200),
        (Health(role=Role.ACTING, faults=("the task resync has ended",)), 503, 503),
        (Health(role=Role.STOPPING), 200, 503),
    ],
)
async def test_what_the_kubelet_reads(harness: ProbesHarness, health: Health, healthz: int, readyz: int) -> None:
    """A restart helps against faults alone; a standby is ready to take over."""
    harness.health = health

    assert (healthz, readyz) == ((await harness.get("/healthz"))[0], (await harness.get("/readyz"))[0])


async def test_the_cause_is_in_the_answer_too(harness: ProbesHarness) -> None:
    """For whoever runs curl."""
    harness.health = Health(role=Role.ACTING, faults=("no full list has succeeded for 200 s",), resync_age=200.04)
    _, text = await harness.get("/healthz")

    assert {
        "role": "acting",
        "faults": ["no full list has succeeded for 200 s"],
        "resyncAgeSeconds": 200.0,
    } == json.loads(text)


@pytest.mark.parametrize(
    ("accept", "content_type", "is_openmetrics"),
    [
        ("*/*", "text/plain; version=0.0.4; charset=utf-8", False),
        ("text/plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8", False),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8", True),
    ],
)
async def test_metrics_come_as_asked_for_and_fresh(
    harness: ProbesHarness, accept: str, content_type: str, *, is_openmetrics: bool
) -> None:
    """Gauges are brought up to date when somebody reads them."""
    harness.metrics.reconciles["success"].inc()
    status, text = await harness.get("/metrics", accept=accept)

    assert (200, 1, content_type) == (status, harness.measured, harness.content_type)
    assert 'controller_runtime_reconcile_total{controller="whatsappsession",result="success"} 1.0' in text
    assert is_openmetrics == text.endswith("# EOF\n")


async def test_only_the_named_metrics(harness: ProbesHarness) -> None:
    """A scraper may ask for some."""
    _, text = await harness.get("/metrics?name[]=whatsapp_operator_recovery_paused")

    assert "whatsapp_operator_recovery_paused 0.0" == text.splitlines()[-1]


async def test_a_change_of_the_role_is_measured_at_once(harness: ProbesHarness) -> None:
    """What a process told that has given up the Lease is not told beside the next one's."""
    await harness.get("/metrics")
    await harness.get("/metrics")
    before = harness.measured
    harness.probes.measure_anew()
    await harness.get("/metrics")

    assert (1, 2) == (before, harness.measured)


async def test_nothing_else_is_served(harness: ProbesHarness) -> None:
    """No debug page, no index."""
    assert 404 == (await harness.get("/"))[0]


@pytest.fixture
async def closed(tmp_path: Path) -> AsyncIterator[ProbesHarness]:
    """Probes whose metrics need a token, which is in no file yet."""
    harness = ProbesHarness(token_file=tmp_path / "token")
    harness.port = await harness.probes.start(address="127.0.0.1", port=0)
    yield harness
    await harness.probes.stop()


async def test_metrics_may_need_a_token(closed: ProbesHarness, tmp_path: Path) -> None:
    """A file that is not there opens nothing; a new one counts at once; probes need none."""
    token = "0123456789abcdef"
    missing = (await closed.get("/metrics", token=token))[0]
    (tmp_path / "token").write_text(f"{token}\n")
    without, wrong = (await closed.get("/metrics"))[0], (await closed.get("/metrics", token=token[:-1]))[0]
    right, text = await closed.get("/metrics", token=token)

    assert (401, 401, 401, 200) == (missing, without, wrong, right)
    assert "whatsapp_operator_recovery_paused" in text
    assert 200 == (await closed.get("/healthz"))[0]
