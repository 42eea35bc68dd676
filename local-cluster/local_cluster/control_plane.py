"""The command lines of etcd, the API server, the controller manager and the scheduler; pure.

Light mode and the full cluster run the same control plane and differ in addresses and in who is authorized; both
describe theirs as a `ControlPlane` and get argument lists back.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SERVICE_IP", "SERVICE_RANGE", "ControlPlane", "audit_policy", "flags"]

SERVICE_RANGE = "10.96.0.0/16"
SERVICE_IP = "10.96.0.1"
"""The first address of the range: the Service `kubernetes`, through which pods reach the API server."""


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """Where a control plane listens, keeps its files, and who may do what."""

    folder: Path
    """Data, logs and kubeconfigs; the certificates are in `pki` below it."""
    bind: str
    """Where the API server listens."""
    advertise: str
    """The API server's address for pods, and in its certificate."""
    api_port: int
    etcd_port: int
    etcd_peer_port: int
    authorizers: Sequence[str] = ("RBAC",)
    service_accounts: bool = True
    """Whether pods must have an account; without a controller manager nobody makes one, and no pod could be made."""
    extra_api_flags: Mapping[str, str] | None = None

    @property
    def url(self) -> str:
        """The API server, as its clients reach it."""
        return f"https://{self.advertise}:{self.api_port}"

    @property
    def pki(self) -> Path:
        """The folder of the certificates, in kubeadm's layout."""
        return self.folder / "pki"

    def kubeconfig(self, account: str) -> Path:
        """The kubeconfig of one of those who talk to the API server."""
        return self.folder / f"{account}.conf"

    @property
    def etcd_data(self) -> Path:
        """The folder of etcd's data."""
        return self.folder / "etcd"

    @property
    def audit_log(self) -> Path:
        """JSON lines, one per answered request."""
        return self.folder / "audit.log"

    @property
    def audit_policy_file(self) -> Path:
        """What the audit log records."""
        return self.folder / "audit-policy.json"

    def etcd(self) -> list[str]:
        """Arguments of etcd. It answers nobody without a certificate of its own authority."""
        client, peer = f"https://127.0.0.1:{self.etcd_port}", f"https://127.0.0.1:{self.etcd_peer_port}"
        pki = self.pki / "etcd"
        return flags(
            {
                "name": "local",
                "data-dir": self.etcd_data,
                "listen-client-urls": client,
                "advertise-client-urls": client,
                "listen-peer-urls": peer,
                "initial-advertise-peer-urls": peer,
                "initial-cluster": f"local={peer}",
                "cert-file": pki / "server.crt",
                "key-file": pki / "server.key",
                "client-cert-auth": "true",
                "trusted-ca-file": pki / "ca.crt",
                "peer-cert-file": pki / "peer.crt",
                "peer-key-file": pki / "peer.key",
                "peer-client-cert-auth": "true",
                "peer-trusted-ca-file": pki / "ca.crt",
                # A power cut may cost the data; an ended process does not. Worth it: a write costs no disk flush.
                "unsafe-no-fsync": "true",
                "log-level": "warn",
            }
        )

    def api_server(self) -> list[str]:
        """Arguments of the API server: certificates only, no token file, nobody anonymous, all of it recorded."""
        pki = self.pki
        options: dict[str, str | int | Path] = {
            "etcd-servers": f"https://127.0.0.1:{self.etcd_port}",
            "etcd-cafile": pki / "etcd" / "ca.crt",
            "etcd-certfile": pki / "apiserver-etcd-client.crt",
            "etcd-keyfile": pki / "apiserver-etcd-client.key",
            "bind-address": self.bind,
            "secure-port": self.api_port,
            "advertise-address": self.advertise,
            "tls-cert-file": pki / "apiserver.crt",
            "tls-private-key-file": pki / "apiserver.key",
            "client-ca-file": pki / "ca.crt",
            "cert-dir": pki,  # the default is below /var/run, which an ordinary user may not write
            "anonymous-auth": "false",
            "authorization-mode": ",".join(self.authorizers),
            "allow-privileged": "true",
            "requestheader-client-ca-file": pki / "front-proxy-ca.crt",
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-username-headers": "X-Remote-User",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "proxy-client-cert-file": pki / "front-proxy-client.crt",
            "proxy-client-key-file": pki / "front-proxy-client.key",
            "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
            "service-account-key-file": pki / "sa.pub",
            "service-account-signing-key-file": pki / "sa.key",
            "service-cluster-ip-range": SERVICE_RANGE,
            "audit-policy-file": self.audit_policy_file,
            "audit-log-path": self.audit_log,
            "audit-log-maxsize": 500,  # megabytes; a rotated log would make a count of requests wrong
            "audit-log-maxbackup": 1,
            "profiling": "false",
        }
        if not self.service_accounts:
            options["disable-admission-plugins"] = "ServiceAccount"
        options.update(self.extra_api_flags or {})
        return flags(options)

    def controller_manager(self, *, secure_port: int) -> list[str]:
        """Arguments of the controller manager; port 0 serves nothing."""
        return flags(
            {
                **self._acting("controller-manager", secure_port=secure_port),
                "use-service-account-credentials": "true",  # each controller has its own rights, as in a real cluster
                "service-account-private-key-file": self.pki / "sa.key",
                "root-ca-file": self.pki / "ca.crt",
            }
        )

    def scheduler(self, *, secure_port: int) -> list[str]:
        """Arguments of the scheduler; port 0 serves nothing."""
        return flags(self._acting("scheduler", secure_port=secure_port))

    def _acting(self, account: str, *, secure_port: int) -> dict[str, str | int | Path]:
        """What both have in common.

        20 requests and 50 binds a second, the defaults, are what makes 1,000 claims take minutes; on a single node with
        its own API server nothing else needs that protection, and tests would measure the limit instead of the code.
        """
        kubeconfig = self.kubeconfig(account)
        return {
            "kubeconfig": kubeconfig,
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "bind-address": "127.0.0.1",
            "secure-port": secure_port,
            "leader-elect": "false",
            "kube-api-qps": 200,
            "kube-api-burst": 300,
            "profiling": "false",
        }


def audit_policy() -> str:
    """Who did what, and with which program, but no bodies: enough to count writes, and no Secret in a log."""
    return json.dumps(
        {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],  # one line per request, written before its answer is sent
            "rules": [{"level": "Metadata"}],
        }
    )


def flags(options: Mapping[str, str | int | Path]) -> list[str]:
    """`--name=value` for each option, in the given order."""
    return [f"--{name}={value}" for name, value in options.items()]
