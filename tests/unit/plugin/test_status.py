"""`kubectl whatsapp status`: sessions and quotas as tables and as JSON."""

import json
from typing import Any

import yaml
from kubectl_whatsapp.cli import main
from unit.plugin.plugin_harness import ConsoleHarness, ScriptedKubectl, session_json

FULL = "Maximum concurrent sessions limit reached (3). Please terminate some sessions first."


def quota_json(name: str = "demo", **spec: Any) -> dict[str, Any]:
    """A quota with two of its places taken; storage is counted where it is limited."""
    status = {"admitted": 2, "waiting": 1, "memoryReserved": "1536Mi"}
    status |= {"storageReserved": "3Gi"} if "storage" in spec else {}
    return {"kind": "WhatsAppSessionQuota", "metadata": {"name": name}, "spec": spec, "status": status}


def listed(*sessions: dict[str, Any]) -> dict[str, Any]:
    """A list as kubectl prints it."""
    return {"kind": "List", "items": list(sessions)}


def two_sessions() -> dict[str, Any]:
    """One connected, one that waits; not in the order of their names."""
    waiting = session_json("returns", state="Queued", replicas=0, recovery={})
    waiting["status"]["conditions"][0] |= {"reason": "QuotaExceeded", "message": FULL}
    return listed(session_json("sales", state="Connected"), waiting)


def test_sessions_and_their_quota(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """One line each: state, ready, quota, restarts, since, reason, message; then how full the quota is."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=two_sessions())
    quota = quota_json(sessions=3, memory="8Gi", storage="10Gi", sessionsPerNamespace=5)
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out=quota)

    status = main(["status", "-n", "shop"], console=harness.console)

    expected = [
        "NAME      STATE       READY   QUOTA   RESTARTS   SINCE   REASON          MESSAGE",
        f"returns   Queued      False   demo    0          18m     QuotaExceeded   {FULL}",
        "sales     Connected   True    demo    2          18m     Connected",
        "",
        "QUOTA   SESSIONS   MEMORY          STORAGE       PER NAMESPACE   WAITING",
        "demo    2 of 3     1536Mi of 8Gi   3Gi of 10Gi   5               1",
    ]
    assert (0, expected, "") == (status, harness.out.getvalue().splitlines(), harness.err.getvalue())


def test_storage_that_nobody_has_counted(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """An operator from before storage was limited says nothing of it, which is not nothing."""
    quota = quota_json(storage="10Gi")
    del quota["status"]["storageReserved"]
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=two_sessions())
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out=quota)

    main(["status"], console=harness.console)

    assert "unknown of 10Gi" in harness.out.getvalue().splitlines()[-1]


def test_all_namespaces(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """-A asks for all namespaces and shows which one a session is in."""
    scripted_kubectl.answer_to("get", "--all-namespaces", out=two_sessions())
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out=quota_json())

    main(["status", "-A"], console=harness.console)

    table = harness.out.getvalue().splitlines()
    assert ["NAMESPACE", "NAME"] == table[0].split()[:2]
    assert ["shop", "returns"] == table[1].split()[:2]
    assert ["demo", "2", "(unlimited)", "1536Mi", "(unlimited)", "unlimited", "unlimited", "1"] == table[-1].split()


def test_only_the_quotas_in_question_are_asked_for(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Quotas that no shown session names are nobody's business here."""
    other = session_json("support", admission={"quotaName": "gold"})
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=listed(session_json(), other))
    scripted_kubectl.answer_to(
        "get", "whatsappsessionquotas.wasession.dev", out=listed(quota_json("demo"), quota_json("gold"))
    )

    main(["status"], console=harness.console)

    expected = ["get", "whatsappsessionquotas.wasession.dev", "demo", "gold", "--ignore-not-found", "--output=json"]
    assert expected == scripted_kubectl.calls()[-1]


def test_a_quota_that_does_not_exist(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """A missing quota is named: its sessions wait for it."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=session_json(state="Queued"))
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out="")

    main(["status", "sales"], console=harness.console)

    assert "quota demo does not exist: its sessions wait\n" == harness.err.getvalue()


def test_no_right_to_read_quotas(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """The sessions are shown all the same."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=session_json())
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", err="Error (Forbidden): no\n", status=1)

    status = main(["status"], console=harness.console)

    assert (0, "you may not read quotas, so their use is not shown\n") == (status, harness.err.getvalue())
    assert "sales" in harness.out.getvalue()


def test_a_right_to_read_one_quota(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Of several quotas the one that the person may read is shown, and the other is named."""
    sessions = [session_json(name, admission={"quotaName": name}) for name in ("gold", "shop")]
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=listed(*sessions))
    refused = "Error (Forbidden): no\n"
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", err=refused, status=1)
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", "shop", out=quota_json("shop"))
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", "gold", "shop", err=refused, status=1)

    status = main(["status"], console=harness.console)

    assert (0, "you may not read quota gold, so its use is not shown\n") == (status, harness.err.getvalue())
    assert ["shop", "2", "(unlimited)"] == harness.out.getvalue().splitlines()[-1].split()[:3]


def test_json(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """-o json is one document with both, and nothing beside it."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=session_json(state="Connected"))
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out=quota_json(sessions=3))

    main(["status", "sales", "-o", "json"], console=harness.console)

    expected = {
        "sessions": [
            {
                "namespace": "shop",
                "name": "sales",
                "state": "Connected",
                "ready": "True",
                "reason": "Connected",
                "message": "",
                "lastTransitionTime": "2026-11-22T13:42:00Z",
                "linked": False,
                "quotaName": "demo",
                "restarts": 2,
                "podName": "sales",
                "nodeName": "node-1",
                "image": "registry.example/runner:1",
                "browserVersion": "156.0.7204.49",
                "tokenSecretName": "was-sales-observing-0123abcd",
                "tokenSecrets": {
                    "linking": "was-sales-linking-0123abcd",
                    "messaging": "was-sales-messaging-0123abcd",
                    "reading": "was-sales-reading-0123abcd",
                    "administering": "was-sales-administering-0123abcd",
                },
                "phoneNumberID": "265070092772032",
                "pendingRequests": [],
            }
        ],
        "quotas": [
            {
                "name": "demo",
                "sessions": 3,
                "memory": None,
                "storage": None,
                "sessionsPerNamespace": None,
                "admitted": 2,
                "waiting": 1,
                "memoryReserved": "1536Mi",
                "storageReserved": None,
            }
        ],
    }
    assert expected == json.loads(harness.out.getvalue())


def test_no_sessions(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """An empty namespace is a sentence, and no question about quotas."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=listed())

    status = main(["status"], console=harness.console)

    assert (0, "no sessions in this namespace; -A lists all namespaces\n") == (status, harness.err.getvalue())
    assert 1 == len(scripted_kubectl.calls())


def test_a_name_that_does_not_exist(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """The text has kubectl's own words, and how to find the right name."""
    scripted_kubectl.answer_to("get", err='Error from server (NotFound): whatsappsessions "x" not found\n', status=1)

    status = main(["status", "x"], console=harness.console)

    assert 1 == status
    assert '"x" not found\n`kubectl whatsapp status -A` lists all' in harness.err.getvalue()


def test_a_session_that_no_operator_has_seen(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Without a status a session is shown with what is known: its quota, and that Ready is unknown."""
    session = session_json()
    del session["status"]
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=session)
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out=quota_json())

    main(["status"], console=harness.console)

    assert ["sales", "-", "Unknown", "demo", "0", "-", "-"] == harness.out.getvalue().splitlines()[1].split()


def test_wide(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """Node, pod and browser stand before the message, so that the columns before them keep their places."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=two_sessions())
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out="")

    main(["status", "-o", "wide"], console=harness.console)

    header, waiting, running = harness.out.getvalue().splitlines()
    assert ["REASON", "NODE", "POD", "BROWSER", "MESSAGE"] == header.split()[6:]
    assert ["node-1", "-", "156.0.7204.49", *FULL.split()] == waiting.split()[7:]
    assert ["node-1", "sales", "156.0.7204.49"] == running.split()[7:]


def test_yaml(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """-o yaml is the document of -o json."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=two_sessions())
    scripted_kubectl.answer_to("get", "whatsappsessionquotas.wasession.dev", out=quota_json(sessions=3))

    main(["status", "-o", "json"], console=harness.console)
    as_json = harness.out.getvalue()
    main(["status", "-o", "yaml"], console=harness.console)

    assert json.loads(as_json) == yaml.safe_load(harness.out.getvalue().removeprefix(as_json))


def test_names(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """-o name is for another kubectl command, and asks for no quotas."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=two_sessions())

    status = main(["status", "-o", "name"], console=harness.console)

    expected = ["whatsappsession.wasession.dev/returns", "whatsappsession.wasession.dev/sales"]
    assert (0, expected) == (status, harness.out.getvalue().splitlines())
    assert 1 == len(scripted_kubectl.calls())


def test_a_selector(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """It is kubectl's; where nothing has the labels, they are named."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=listed())

    main(["status", "-A", "-l", "team=shop"], console=harness.console)

    expected = ["get", "whatsappsessions.wasession.dev", "--all-namespaces", "--selector=team=shop", "--output=json"]
    assert [expected] == scripted_kubectl.calls()
    assert "no sessions with labels team=shop in any namespace\n" == harness.err.getvalue()


def events(*changes: tuple[str, dict[str, Any]]) -> str:
    """A watch's events as kubectl prints them."""
    return "".join(json.dumps({"type": kind, "object": session}) + "\n" for kind, session in changes)


def test_a_watch_prints_changes(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """The sessions, then a line for each whose line is another one; what a watch repeats at its start is no change."""
    sales, returns = session_json("sales", state="Starting"), session_json("returns")
    linked = session_json("sales", state="Connected")
    same = linked | {"metadata": linked["metadata"] | {"resourceVersion": "7"}}
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=listed(sales, returns))
    changes = [("ADDED", sales), ("ADDED", returns), ("MODIFIED", linked), ("MODIFIED", same), ("DELETED", returns)]
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", "--watch", out=events(*changes))

    status = main(["status", "-w", "-n", "shop"], console=harness.console)

    expected = [
        "NAME      STATE       READY   QUOTA   RESTARTS   SINCE   REASON",
        "returns   QRPending   False   demo    2          18m     QRPending",
        "sales     Starting    False   demo    2          18m     Starting",
        "sales     Connected   True    demo    2          18m     Connected",
        "returns   Deleted     False   demo    2          18m     QRPending",
    ]
    assert (0, expected) == (status, harness.out.getvalue().splitlines())


def test_a_watch_of_nothing_yet(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """That there are none is said, and the first one comes with the header."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=listed())
    scripted_kubectl.answer_to("get", "--watch", out=events(("ADDED", session_json("sales"))))

    main(["status", "--watch"], console=harness.console)

    assert "no sessions in this namespace; -A lists all namespaces\n" == harness.err.getvalue()
    assert ["NAME", "sales"] == [line.split()[0] for line in harness.out.getvalue().splitlines()]


def test_a_watch_that_breaks(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """With kubectl's words, and status 1."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=listed())
    scripted_kubectl.answer_to("get", "--watch", err="error: unable to decode an event\n", status=1)

    assert 1 == main(["status", "--watch"], console=harness.console)
    assert harness.err.getvalue().endswith("error: unable to decode an event\n")


def test_a_watch_of_names(scripted_kubectl: ScriptedKubectl, harness: ConsoleHarness) -> None:
    """With -o name each change is its session's name, for `while read`."""
    scripted_kubectl.answer_to("get", "whatsappsessions.wasession.dev", out=listed())
    scripted_kubectl.answer_to("get", "--watch", out=events(("ADDED", session_json("sales"))))

    main(["status", "--watch", "-o", "name"], console=harness.console)

    assert "whatsappsession.wasession.dev/sales\n" == harness.out.getvalue()
