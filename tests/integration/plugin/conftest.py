"""A real API server with a session in it, the runner's real HTTP API, and the plugin as people start it.

Only port-forward is played: it needs a kubelet. The kubectl on the PATH hands everything else to the real one.
"""

import asyncio
import base64
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_cluster.light import LightCluster, Programs
from session_devtools.installation.constants import CRDS
from session_protocol.phone_number_id import phone_number_id
from session_protocol.token_hashes import hash_token
from session_protocol.vocabulary import TokenPurpose, TokenScope
from session_runner.http.app import serve
from session_runner.outbox.outbox import Outbox
from session_runner.store import StateStore
from support.at_work import at_work
from support.runner_parts import make_api, make_parts

ROOT = Path(__file__).parents[3]
PLUGIN = ROOT / "plugin"
OBSERVING, SECRET = "was-0123-observing-89abcdef", "was-0123-linking-89abcdef"
MESSAGING, ADMINISTERING = "was-0123-messaging-89abcdef", "was-0123-administering-89abcdef"
KUBECTL = """#!/bin/sh
case " $* " in
*" port-forward "*)
	echo "Forwarding from 127.0.0.1:{port} -> 8080"
	exec tail --pid=$PPID -f /dev/null
	;;
esac
exec {kubectl} "$@"
"""
INTERRUPTIBLE = ("/usr/bin/env", "--default-signal=INT")
""" Before a command: who runs the tests in the background ignores Ctrl-C, and would hand that on. """
READER = [
    {"apiGroups": ["wasession.dev"], "resources": ["whatsappsessions"], "verbs": ["get", "list"]},
]
SENDER = [*READER, {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [MESSAGING], "verbs": ["get"]}]
ADMINISTRATOR = [
    *READER,
    {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [ADMINISTERING], "verbs": ["get"]},
]
LINKER = [*READER, {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET], "verbs": ["get"]}]


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class PluginHarness:
    """A namespace with session `sales`, its runner, and commands run as somebody."""

    cluster: LightCluster
    namespace: str
    store: StateStore
    folder: Path
    outbox: Outbox

    async def kubectl(self, *arguments: str, rights: list[dict[str, Any]] | None = None) -> CommandResult:
        """Run `kubectl WORDS` as a person with these rights in the namespace; None: as an admin."""
        process = await self.start(*arguments, rights=rights)
        out, err = await process.communicate()
        return CommandResult(status=process.returncode or 0, out=out.decode(), err=err.decode())

    async def start(self, *arguments: str, rights: list[dict[str, Any]] | None = None) -> asyncio.subprocess.Process:
        """The same, to be listened to while it runs."""
        kubeconfig = self.cluster.kubeconfig if rights is None else self._person(rights)
        return await asyncio.create_subprocess_exec(
            *INTERRUPTIBLE,
            self.folder / "kubectl",
            *arguments,
            env={
                "PATH": f"{self.folder}:{PLUGIN}:/usr/bin:/bin",
                "HOME": str(self.folder),
                "KUBECONFIG": str(kubeconfig),
                "TERM": os.environ.get("TERM", "dumb"),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    def set_status(self, **status: Any) -> None:
        """Write the session's status, as the operator would."""
        patch = json.dumps({"status": status})
        where = [f"--namespace={self.namespace}", "--subresource=status", "--type=merge"]
        self.cluster.kubectl("patch", "whatsappsession", "sales", *where, f"--patch={patch}")

    def _person(self, rights: list[dict[str, Any]]) -> Path:
        name = f"person-{secrets.token_hex(3)}"
        role = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": name, "namespace": self.namespace},
            "rules": rights,
        }
        self.cluster.kubectl("apply", "--filename=-", input=yaml.safe_dump(role))
        self.cluster.kubectl(
            "create", "rolebinding", name, f"--role={name}", f"--user={name}", f"--namespace={self.namespace}"
        )
        return self.cluster.kubeconfig_for(name)


@pytest.fixture(scope="session")
def with_api(light_cluster: LightCluster) -> LightCluster:
    """The light cluster with our CRDs."""
    light_cluster.kubectl("apply", "--server-side", "--kustomize", str(ROOT / "crds"))
    light_cluster.kubectl.wait_established(*CRDS)
    return light_cluster


@pytest.fixture
async def harness(
    with_api: LightCluster,
    light_programs: Programs,
    make_namespace: Callable[[LightCluster], str],
    tmp_path: Path,
) -> AsyncIterator[PluginHarness]:
    """A session that shows no code yet, with a runner that serves and takes messages; there is no page to send them."""
    tokens = {str(scope): secrets.token_hex(16) for scope in TokenScope}
    folder = tmp_path / "tokens"
    folder.mkdir()
    for scope, token in tokens.items():
        (folder / scope).write_text(hash_token(token))
    namespace = make_namespace(with_api)
    parts = make_parts(phone=phone_number_id(namespace, "sales"), random_bytes=os.urandom)
    store, messaging, deliverer = parts.base.store, parts.sending.messaging, parts.receiving.deliverer
    runner, port = await serve(make_api(parts, folder), port=0, metrics=parts.base.metrics)
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "kubectl"
    program.write_text(KUBECTL.format(port=port, kubectl=light_programs.kubectl))
    program.chmod(0o755)
    session = {
        "apiVersion": "wasession.dev/v1alpha1",
        "kind": "WhatsAppSession",
        "metadata": {"name": "sales", "namespace": namespace},
        "spec": {"quotaName": "plugin"},
    }
    owned = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "data": {str(scope): base64.b64encode(tokens[scope].encode()).decode() for scope in purpose.scopes},
        }
        for name, purpose in (
            (SECRET, TokenPurpose.LINKING),
            (MESSAGING, TokenPurpose.MESSAGING),
            (ADMINISTERING, TokenPurpose.ADMINISTERING),
        )
    ]
    with_api.kubectl("apply", "--filename=-", input=yaml.safe_dump_all([session, *owned]))
    async with messaging.opened(tmp_path / "messages.sqlite") as outbox, at_work(deliverer.work(outbox)):
        made = PluginHarness(cluster=with_api, namespace=namespace, store=store, folder=programs, outbox=outbox)
        made.set_status(
            state="Starting",
            podName="sales",
            replicas=1,
            tokenSecretName=OBSERVING,
            tokenSecrets={"linking": SECRET, "messaging": MESSAGING, "administering": ADMINISTERING},
        )
        yield made
    store.close()
    await runner.cleanup()
