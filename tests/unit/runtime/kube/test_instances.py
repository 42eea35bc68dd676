"""Which namespaces and quotas are this operator's business."""

import pytest
from unit.runtime.fakes import FakeClock
from unit.runtime.memory_api import MemoryApi
from whatsapp_operator.api.constants import INSTANCE_LABEL
from whatsapp_operator.runtime.kube.client import Kube
from whatsapp_operator.runtime.kube.instances import Instance


@pytest.fixture
def api() -> MemoryApi:
    """A cluster with a namespace of each kind."""
    api = MemoryApi(now=FakeClock().now)
    api.put("namespaces", {"metadata": {"name": "plain"}})
    api.put("namespaces", {"metadata": {"name": "demo", "labels": {INSTANCE_LABEL: "demo"}}})
    return api


def instance(api: MemoryApi, name: str = "", namespaces: tuple[str, ...] = ()) -> Instance:
    """Return an operator's view."""
    return Instance(kube=Kube(api, timeout=30), name=name, namespaces=namespaces)


@pytest.mark.parametrize(
    ("name", "namespaces", "served"),
    [
        ("", (), ["plain"]),
        ("demo", (), ["demo"]),
        ("other", (), []),
        ("", ("demo",), []),
        ("demo", ("demo", "plain"), ["demo"]),
        ("", ("plain",), ["plain"]),
    ],
)
async def test_who_serves_which_namespace(
    api: MemoryApi, name: str, namespaces: tuple[str, ...], served: list[str]
) -> None:
    """The label decides, and WATCH_NAMESPACES narrows; both when asked one by one and after a refresh."""
    one_by_one, refreshed = instance(api, name, namespaces), instance(api, name, namespaces)
    await refreshed.refresh()

    assert served == [space for space in ("plain", "demo") if await one_by_one.serves(space)]
    assert served == [space for space in ("plain", "demo") if refreshed.known(space)]


async def test_every_namespace_has_exactly_one_operator(api: MemoryApi) -> None:
    """Of the operator without a name and the one of that name."""
    operators = [instance(api), instance(api, "demo")]

    for space in ("plain", "demo"):
        assert 1 == sum([await operator.serves(space) for operator in operators])


async def test_a_namespace_is_asked_about_once(api: MemoryApi) -> None:
    """Then the answer holds until the next resync."""
    one = instance(api)
    for _ in range(10):
        await one.serves("plain")

    assert 1 == len(api.requests)


async def test_a_changed_label_counts_after_a_refresh(api: MemoryApi) -> None:
    """At the latest a resync later."""
    one = instance(api)
    before = await one.serves("demo")
    api.change("namespaces", "", "demo", {"metadata": {"labels": None}})
    cached = await one.serves("demo")
    await one.refresh()

    assert (False, False, True) == (before, cached, await one.serves("demo"))


async def test_a_namespace_that_is_gone_is_nobodys(api: MemoryApi) -> None:
    """Its sessions are going with it."""
    assert not await instance(api).serves("gone")


def test_scopes_are_where_to_list(api: MemoryApi) -> None:
    """The whole cluster, or each namespace."""
    assert (None,) == instance(api).scopes
    assert ("a", "b") == instance(api, namespaces=("b", "a")).scopes


@pytest.mark.parametrize(
    ("name", "label", "owned"), [("", None, True), ("", "x", False), ("x", "x", True), ("x", None, False)]
)
def test_a_quota_has_one_operator_too(api: MemoryApi, name: str, label: str | None, owned: bool) -> None:  # noqa: FBT001
    """Two that write its status would undo each other for ever."""
    labels = {INSTANCE_LABEL: label} if label else {}

    assert owned == instance(api, name).owns({"metadata": {"labels": labels}})


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, False),
        ({"pod-security.kubernetes.io/enforce": "privileged"}, False),
        ({"pod-security.kubernetes.io/warn": "restricted"}, False),
        ({"pod-security.kubernetes.io/enforce": "baseline"}, True),
        ({"pod-security.kubernetes.io/enforce": "restricted"}, True),
    ],
)
async def test_whether_a_namespace_enforces_pod_security(
    api: MemoryApi,
    labels: dict[str, str],
    expected: bool,  # noqa: FBT001
) -> None:
    """Its label tells, as of the last look: when a session is first seen there, and at each resync."""
    api.put("namespaces", {"metadata": {"name": "shop", "labels": labels}})
    one_by_one, refreshed = instance(api), instance(api, namespaces=("shop",))
    assert one_by_one.enforces_pod_security("shop") is None

    await one_by_one.serves("shop")
    await refreshed.refresh()

    assert (expected, expected) == (one_by_one.enforces_pod_security("shop"), refreshed.enforces_pod_security("shop"))
