"""Sidecars whose memory passes what a profile allows: each passing is worth one whole dump, while it lasts."""

from collections.abc import Iterable, Iterator

from meshforensics.capture._ask import Ask
from meshforensics.capture._reply import Outcome
from meshforensics.formats import memory, quantity
from meshforensics.formats.kubernetes import KubernetesObject, decode, mapping, members
from meshforensics.model import NotTheFormError
from meshforensics.profile import Profile

MOST = 20
"""Dumps in one watch: a mesh that grows as a whole is told by these."""
_PROXIES = ("istio-proxy", "linkerd-proxy")
_BACK = 0.95
"""The share of its threshold below which a proxy must fall before it can pass it again."""


class Passings:
    """What was seen of each proxy's memory, over the passes of a watch."""

    def __init__(self, profile: Profile) -> None:
        self._most = profile.number("memory.dump-at")
        self._share = profile.number("memory.dump-share")
        self._limits: dict[str, int] = {}
        self._above: set[str] = set()
        self._dumps = 0

    def learn(self, pods: Iterable[KubernetesObject]) -> None:
        """Note the limits of the proxies of pods."""
        for pod in pods:
            for limit in _limits(pod):
                self._limits[f"{pod.namespace}/{pod.name}"] = limit

    def threshold(self, subject: str) -> float:
        """Bytes that a proxy may use: the number, or the share of its limit where that is less."""
        limit = self._limits.get(subject)
        return min(self._most, limit * self._share) if limit else self._most

    def seen(self, ask: Ask, outcome: Outcome, *, dump: bool) -> Iterator[tuple[str, str]]:
        """The proxies that pass their threshold by what came, and in which words; none where no dump is wanted."""
        for subject, used in _used(ask, outcome):
            threshold = self.threshold(subject)
            if used < threshold * _BACK:
                self._above.discard(subject)
            elif used >= threshold and subject not in self._above:
                self._above.add(subject)
                if dump and self._dumps < MOST:
                    self._dumps += 1
                    yield subject, f"taken because its memory passed {threshold:.0f} bytes: {used}"


def _used(ask: Ask, outcome: Outcome) -> Iterator[tuple[str, int]]:
    """Bytes by proxy: physical ones of the allocator, the working set of a container."""
    if outcome.payload is None:
        return
    try:
        if ask.kind == "envoy.memory":
            yield ask.subject, _physical(memory.decode(outcome.payload))
        elif ask.kind == "kubernetes.usage":
            for one in decode(outcome.payload):
                yield from _working_sets(one)
    except NotTheFormError:
        return


def _physical(said: memory.Memory) -> int:
    """What the allocator holds of real memory, as far as its version says."""
    if said.total_physical_bytes:
        return said.total_physical_bytes
    return max(said.allocated, (said.heap_size or 0) - (said.pageheap_unmapped or 0))


def _working_sets(one: KubernetesObject) -> Iterator[tuple[str, int]]:
    for container in members(one.body, "containers"):
        used = quantity.whole(mapping(container, "usage").get("memory"))
        if container.get("name") in _PROXIES and used is not None:
            yield f"{one.namespace}/{one.name}", used


def _limits(pod: KubernetesObject) -> Iterator[int]:
    for container in (*members(pod.spec, "containers"), *members(pod.spec, "initContainers")):
        said = mapping(mapping(container, "resources"), "limits").get("memory")
        if container.get("name") in _PROXIES and isinstance(said, str):
            try:
                limit = quantity.whole(said)
            except NotTheFormError:
                continue
            if limit:
                yield limit
