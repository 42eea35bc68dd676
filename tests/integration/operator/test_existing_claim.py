"""A claim of somebody's own: mounted once its owner has released it by a label, and never before."""

from integration.operator.conftest import OperatorHarness


async def test_a_claim_is_mounted_once_it_is_released(harness: OperatorHarness) -> None:
    """Until then the session says the command; it goes on by itself, and nothing is written to the claim."""
    claim = {
        "metadata": {"name": "data-postgres-0"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    await harness.admin.create("persistentvolumeclaims", harness.namespace, claim)
    await harness.quota(sessions=1)
    await harness.operator()
    await harness.session("a", profile={"existingClaim": "data-postgres-0"})

    await harness.wait_for_condition("a", "Stalled", status="True")
    stalled = await harness.condition("a", "Stalled")
    assert "NotAllowed" == stalled["reason"]
    assert (
        f"persistentvolumeclaim data-postgres-0 --namespace {harness.namespace} wasession.dev/profile=true"
        in stalled["message"]
    )
    assert await harness.pod("a") is None

    label = {"metadata": {"labels": {"wasession.dev/profile": "true"}}}
    await harness.admin.patch("persistentvolumeclaims", harness.namespace, "data-postgres-0", label)
    await harness.wait_for_state("a", "QRPending")

    kept = await harness.admin.get("persistentvolumeclaims", harness.namespace, "data-postgres-0")
    assert label["metadata"]["labels"] == kept["metadata"]["labels"]
    await harness.wait_for_condition("a", "PodSecurityNotEnforced", status="True")


async def test_a_colleagues_profile_is_refused(harness: OperatorHarness) -> None:
    """What the operator made for one session is no other's, whatever label it gets."""
    await harness.quota(sessions=2)
    await harness.operator()
    await harness.session("bob")
    await harness.wait_for_state("bob", "QRPending")
    label = {"metadata": {"labels": {"wasession.dev/profile": "true"}}}
    await harness.admin.patch("persistentvolumeclaims", harness.namespace, "bob-profile", label)

    await harness.session("eve", profile={"existingClaim": "bob-profile"})

    await harness.wait_for_condition("eve", "Stalled", status="True")
    assert "made for the session bob" in (await harness.condition("eve", "Stalled"))["message"]
    assert await harness.pod("eve") is None
