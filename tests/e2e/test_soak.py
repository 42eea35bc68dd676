"""`make soak` in short: two minutes of mishaps beside six sessions."""

from contextlib import closing

from campaigns.sessions import linked
from campaigns.verdicts import broken, render
from e2e.harness import ClusterHarness
from session_devtools.progress import ConsoleProgress
from soak.campaign import Campaign
from soak.mishaps import MISHAPS
from soak.verdict import judge

SHORT = [mishap for mishap in MISHAPS if mishap.lasts <= 30]
SEED = 11


def test_sessions_come_back_from_whatever_goes_wrong(e2e: ClusterHarness) -> None:
    """One pod a session, logins and quota kept, every stop explained, everybody back, nothing written at rest."""
    names = tuple(f"soak-{number}" for number in range(6))
    with closing(linked(e2e, names, ConsoleProgress())) as tenant:
        campaign = Campaign(
            e2e=e2e, tenant=tenant, names=names, seconds=120, seed=SEED, progress=ConsoleProgress(), mishaps=SHORT
        )
        verdicts = judge(campaign.run())

    assert [] == broken(verdicts), render(verdicts)
