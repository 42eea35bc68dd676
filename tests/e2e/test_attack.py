"""The attacks of `make attack` in short: a minute of all of them beside the three shared sessions."""

from attack.campaign import Campaign
from attack.verdict import judge
from campaigns.verdicts import broken, render
from e2e.harness import ClusterHarness
from e2e.tenant import Tenant
from e2e.trio import TRIO
from session_devtools.progress import ConsoleProgress


def test_sessions_and_operator_go_on_while_they_are_attacked(e2e: ClusterHarness, trio: Tenant) -> None:
    """No session leaves Connected, the Lease stays, nothing said by attackers is seen, nothing is taken from others."""
    campaign = Campaign(e2e=e2e, honest=trio, names=TRIO, victim=TRIO[0], seconds=60, progress=ConsoleProgress())

    verdicts = judge(campaign.run())

    assert [] == broken(verdicts), render(verdicts)
