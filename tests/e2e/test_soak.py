"""`make soak` in short: two minutes of mishaps for the three shared sessions."""

from campaigns.verdicts import broken, render
from e2e.harness import ClusterHarness
from e2e.tenant import Tenant
from e2e.trio import TRIO
from session_devtools.progress import ConsoleProgress
from soak.campaign import Campaign
from soak.mishaps import MISHAPS
from soak.verdict import judge
from support.waiting import until

SHORT = [mishap for mishap in MISHAPS if mishap.lasts <= 30]
SEED = 11


def test_sessions_come_back_from_whatever_goes_wrong(e2e: ClusterHarness, durable_trio: Tenant) -> None:
    """One pod a session, logins and quota kept, every stop explained, everybody back, nothing written at rest."""
    until("no other test's session is left", lambda: _sessions(durable_trio), lambda names: names == sorted(TRIO))
    campaign = Campaign(
        e2e=e2e, tenant=durable_trio, names=TRIO, seconds=120, seed=SEED, progress=ConsoleProgress(), mishaps=SHORT
    )

    verdicts = judge(campaign.run())

    assert [] == broken(verdicts), render(verdicts)


def _sessions(tenant: Tenant) -> list[str]:
    """They hold places of the quota, and are looked at, until they are gone."""
    return sorted(one["metadata"]["name"] for one in tenant.kubectl.get("was", namespace=tenant.namespace))
