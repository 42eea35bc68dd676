"""When a claim that a session names is read: before a pod, again while it cannot be used, and not for ever."""

from typing import Any

import pytest
from unit.runtime.fakes import FakeClock
from whatsapp_operator.api.session import WhatsAppSession
from whatsapp_operator.core.model import ExistingClaim
from whatsapp_operator.runtime.kube.client import Kube, Request, Response
from whatsapp_operator.runtime.kube.existing_claims import REREAD_UNUSABLE, REREAD_USABLE, ExistingClaimReader

SESSION = WhatsAppSession.parse(
    {"metadata": {"name": "sales", "namespace": "shop"}, "spec": {"profile": {"existingClaim": "mine"}}}
)


class Server:
    """Answers with one claim, or none."""

    def __init__(self) -> None:
        self.labels: dict[str, str] | None = None
        self.paths: list[str] = []

    async def send(self, request: Request) -> Response:
        """Answer."""
        self.paths.append(request.path)
        if self.labels is None:
            return Response(status=404, body={"reason": "NotFound", "message": "no"})
        body: dict[str, Any] = {"metadata": {"name": "mine", "namespace": "shop", "labels": self.labels}}
        return Response(status=200, body=body)


@pytest.fixture(name="server")
def the_server() -> Server:
    """An API server."""
    return Server()


@pytest.fixture(name="clock")
def the_clock() -> FakeClock:
    """The time."""
    return FakeClock()


@pytest.fixture(name="reader")
def the_reader(server: Server, clock: FakeClock) -> ExistingClaimReader:
    """A reader that has read nothing."""
    return ExistingClaimReader(Kube(server, timeout=1), clock)


async def test_nothing_is_read_unasked(reader: ExistingClaimReader, server: Server) -> None:
    """A refresh of what nobody asked for asks nobody."""
    await reader.refresh(SESSION)

    assert ([], None, False) == (server.paths, reader.known, reader.is_unusable(SESSION.key))


async def test_a_missing_claim_is_read_again(reader: ExistingClaimReader, server: Server, clock: FakeClock) -> None:
    """Every ten seconds, until it is there and released."""
    await reader.read(SESSION.key, "mine")
    assert (ExistingClaim(name="mine", exists=False), True) == (reader.known, reader.is_unusable(SESSION.key))

    server.labels = {"wasession.dev/profile": "true"}
    await reader.refresh(SESSION)
    assert 1 == len(server.paths)
    await clock.advance(REREAD_UNUSABLE)
    await reader.refresh(SESSION)

    assert ["/api/v1/namespaces/shop/persistentvolumeclaims/mine"] * 2 == server.paths
    assert (ExistingClaim(name="mine", exists=True, released=True), False) == (
        reader.known,
        reader.is_unusable(SESSION.key),
    )


async def test_a_good_one_is_read_seldom(reader: ExistingClaimReader, server: Server, clock: FakeClock) -> None:
    """A session that waits for its place does not ask every ten seconds; what was taken back is noticed."""
    server.labels = {"wasession.dev/profile": "true"}
    await reader.read(SESSION.key, "mine")
    await clock.advance(REREAD_UNUSABLE)
    await reader.refresh(SESSION)
    assert 1 == len(server.paths)

    server.labels = {}
    await clock.advance(REREAD_USABLE)
    await reader.refresh(SESSION)

    assert (2, True) == (len(server.paths), reader.is_unusable(SESSION.key))


async def test_with_a_pod_it_is_forgotten(reader: ExistingClaimReader, server: Server, clock: FakeClock) -> None:
    """No session that runs costs a request."""
    await reader.read(SESSION.key, "mine")
    reader.forget()
    await clock.advance(3600)
    await reader.refresh(SESSION)

    assert (1, False) == (len(server.paths), reader.is_unusable(SESSION.key))


async def test_another_claim_of_the_spec_is_another_question(reader: ExistingClaimReader) -> None:
    """What was read of one name says nothing of another."""
    await reader.read(SESSION.key, "mine")

    await reader.refresh(WhatsAppSession.parse({"metadata": {"name": "sales"}, "spec": {}}))

    assert reader.known is None
