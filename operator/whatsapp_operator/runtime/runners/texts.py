"""How much of what runners say is read: a budget for each namespace, and one for all namespaces together.

Each new text is a redaction, some microseconds a character. One that goes beyond a budget waits, the newest of each
runner, while the runner's state is taken at once. The poller reads what waits when its time has come: first of namespaces
that nothing new was read of lately, then of the others in turn. So who seldom says something new waits for what is being
read and for nothing else, however many say new things without end.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from whatsapp_operator.api.metadata import ObjectKey
from whatsapp_operator.core.model import PodUID
from whatsapp_operator.runtime.process.token_bucket import TokenBucket
from whatsapp_operator.runtime.runners.budgets import TENANTS

TENANT_BURST: Final = 65_536
""" Characters of new texts of a namespace's runners that may be read at once … """
TENANT_PER_SECOND: Final = 4096.0
""" … and in the long run. """
CLUSTER_BURST: Final = 131_072
""" The same for all namespaces together: about a second's work … """
CLUSTER_PER_SECOND: Final = 8192.0
""" … and 8 % of a core at worst. """
SHORTEST: Final = 64
""" Characters that a new text counts for at least. """
QUIET: Final = 10.0
""" Seconds without a new text after which a namespace is served before those that say new things all the time. """
MOST_WAITING: Final = 64
""" Texts of a namespace that wait; the oldest are left out. """
_KNOWN_BY_TENANT: Final = 256
_KNOWN: Final = 1024
""" As many as `core.objects.reading` remembers the redaction of. """


class RunnerText(NamedTuple):
    """The message of a runner's report."""

    key: ObjectKey
    pod_uid: PodUID
    revision: int
    content: str


class _Known:
    """The texts that were read last, by their hashes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._hashes: OrderedDict[int, None] = OrderedDict()

    def __contains__(self, text: str) -> bool:
        return hash(text) in self._hashes

    def add(self, text: str) -> None:
        self._hashes[hash(text)] = None
        self._hashes.move_to_end(hash(text))
        if len(self._hashes) > self._most:
            self._hashes.popitem(last=False)


@dataclass
class _Tenant:
    characters: TokenBucket = field(default_factory=lambda: TokenBucket(TENANT_BURST, TENANT_PER_SECOND))
    known: _Known = field(default_factory=lambda: _Known(_KNOWN_BY_TENANT))
    waiting: OrderedDict[ObjectKey, RunnerText] = field(default_factory=OrderedDict)
    served: float | None = None
    """ When a new text of it was read last. """


class TextBudgets:
    """Decides which texts are read, and when."""

    def __init__(self) -> None:
        self._cluster = TokenBucket(CLUSTER_BURST, CLUSTER_PER_SECOND)
        self._known = _Known(_KNOWN)
        self._tenants: OrderedDict[str, _Tenant] = OrderedDict()
        self._quiet: OrderedDict[str, None] = OrderedDict()
        self._busy: OrderedDict[str, None] = OrderedDict()
        """ Namespaces with waiting texts, in the order of their turns. """

    @property
    def waits(self) -> bool:
        """Whether any text waits."""
        return bool(self._quiet or self._busy)

    def knows(self, text: RunnerText) -> bool:
        """Whether somebody in the namespace said the same lately: it costs nothing, and may be read at once."""
        known = self._of(text.key.namespace).known
        if text.content and text.content not in known:
            return False
        self.forget(text.key)
        known.add(text.content)
        return True

    def put(self, text: RunnerText, *, now: float) -> None:
        """Have a text wait for its turn, in place of what the same runner said before."""
        tenant, namespace = self._of(text.key.namespace), text.key.namespace
        tenant.waiting[text.key] = text
        if len(tenant.waiting) > MOST_WAITING:
            tenant.waiting.popitem(last=False)
        if namespace not in self._quiet and namespace not in self._busy:
            is_quiet = tenant.served is None or now - tenant.served >= QUIET
            (self._quiet if is_quiet else self._busy)[namespace] = None

    def turns(self, *, now: float) -> Iterator[RunnerText]:
        """Take out and yield what may be read now."""
        for queue in (self._quiet, self._busy):
            left = len(queue)
            while left and queue:
                namespace, _ = queue.popitem(last=False)
                tenant = self._tenants[namespace]
                text = next(iter(tenant.waiting.values()))
                cost = max(SHORTEST, len(text.content))
                shared = 0 if text.content in self._known else cost
                if not tenant.characters.has(cost, now=now):
                    self._busy[namespace] = None
                    left -= 1
                    continue
                if not self._cluster.has(shared, now=now):  # it stays the first one
                    queue[namespace] = None
                    queue.move_to_end(namespace, last=False)
                    return
                self._read(tenant, text, cost=cost, shared=shared, now=now)
                if tenant.waiting:
                    self._busy[namespace] = None
                left = len(queue)
                yield text

    def forget(self, key: ObjectKey) -> None:
        """Drop what a runner said and nobody has read yet."""
        tenant = self._tenants.get(key.namespace)
        if tenant is not None and tenant.waiting.pop(key, None) is not None and not tenant.waiting:
            self._quiet.pop(key.namespace, None)
            self._busy.pop(key.namespace, None)

    def _read(self, tenant: _Tenant, text: RunnerText, *, cost: int, shared: int, now: float) -> None:
        del tenant.waiting[text.key]
        tenant.characters.take(cost)
        self._cluster.take(shared)
        tenant.served = now
        tenant.known.add(text.content)
        self._known.add(text.content)

    def _of(self, namespace: str) -> _Tenant:
        tenant = self._tenants.setdefault(namespace, _Tenant())
        self._tenants.move_to_end(namespace)
        if len(self._tenants) > TENANTS:
            oldest, _ = self._tenants.popitem(last=False)
            self._quiet.pop(oldest, None)
            self._busy.pop(oldest, None)
        return tenant
