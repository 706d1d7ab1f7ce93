"""Which steps a verdict asks for, and what not to do: one recipe an incident."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is done about one incident.

    Attributes:
        title: the plan in one line.
        steps: ids of steps; their order is settled by what each comes after, and where that leaves a choice by this.
        never: what makes it worse.
    """

    title: str
    steps: tuple[str, ...]
    never: tuple[str, ...] = ()


_SAVE = ("keep-evidence", "save-objects", "confirm-sync")
_END = ("verify", "close-holes")
_ROLL = ("Do not restart what still holds a valid old configuration or certificate: it is the last good copy.",)

EVIDENCE_ONLY = Recipe(
    title="Nothing to recover is known: keep the evidence, and capture what is missing",
    steps=("keep-evidence", "capture-missing"),
    never=("Do not change anything on account of this verdict: it names no cause.",),
)

RECIPES = {
    "healthy": Recipe(
        title="Nothing to do: keep this bundle as the baseline",
        steps=("keep-evidence",),
    ),
    "ca-rotation": Recipe(
        title="Both roots first, then restarts, then one root",
        steps=("keep-evidence", "pause-rollouts", "save-objects", "save-roots", "confirm-sync", "put-both-roots",
               "restart-istiod", "renew-refused", "plaintext-window", "renew-others", "restart-ztunnel",
               "restart-gateways", "switch-signer", "verify", "drop-old-root", "close-holes"),
        never=("Do not restart callers before both roots are given out: each would move to the new root alone.",
               "Do not set PERMISSIVE: it changes what servers accept, while here callers refuse.",
               "Do not delete istio-ca-secret or cacerts: what replaces them has another key."),
    ),
    "root-expired": Recipe(
        title="A new root beside those still valid, then every proxy renewed",
        steps=("keep-evidence", "save-objects", "save-roots", "confirm-sync", "make-new-root", "restart-istiod",
               "renew-refused", "plaintext-window", "renew-others", "restart-ztunnel", "restart-gateways", *_END),
        never=(("Do not restart what still has open connections before the new root is given out: they live on, and a "
               "new handshake fails."),
               "Do not set PERMISSIVE: callers go on verifying."),
    ),
    "leaf-expired": Recipe(
        title="Renew the leaf, then find why it was not renewed",
        steps=(*_SAVE, "look-at-istiod", "restart-workloads", "gateway-certificate", *_END),
        never=("Do not restart the whole mesh: the other leaves are valid.",),
    ),
    "identity-mismatch": Recipe(
        title="Make what callers expect and what the server is agree",
        steps=(*_SAVE, "restore-objects", "alias-trust-domain", "restart-shown", *_END),
        never=("Do not restart who refuses the name: it is right to.",
               "Do not turn verification off: put the subject names or the service account right.",),
    ),
    "mtls-mode-conflict": Recipe(
        title="Make both sides agree on TLS",
        steps=(*_SAVE, "restore-objects", "mtls-permissive", *_END),
        never=("Do not set PERMISSIVE for a namespace that has a STRICT policy already: the oldest policy wins.",),
    ),
    "rbac-denied": Recipe(
        title="Loosen the one policy that denies, correct it, close again",
        steps=(*_SAVE, "authz-dry-run", "authz-overlay", "restore-objects", "authz-delete", *_END),
        never=("Never delete all policies: DENY and CUSTOM go too, and those of the root namespace stay.",),
    ),
    "upgrade-503": Recipe(
        title="Restore what the new version no longer has; roll back if more fails",
        steps=("keep-evidence", "pause-rollouts", "save-objects", "confirm-sync", "restore-objects", "look-at-istiod",
               "roll-back-control-plane", "restart-workloads", *_END),
        never=_ROLL,
    ),
    "route-to-missing-cluster": Recipe(
        title="Give the route a destination that exists",
        steps=(*_SAVE, "restore-objects", *_END),
        never=("Do not delete the DestinationRule before the routes that name its subsets.",),
    ),
    "config-rejected": Recipe(
        title="Correct the object that proxies reject",
        steps=(*_SAVE, "restore-objects", *_END),
        never=("Do not restart the proxy: a new one has no last good configuration to run on.",),
    ),
    "config-stale": Recipe(
        title="See what holds configuration up, then have it sent",
        steps=(*_SAVE, "look-at-istiod", "push-again", "restart-workloads", *_END),
        never=("Do not restart many proxies at once: each asks istiod for everything.",),
    ),
    "control-plane-overload": Recipe(
        title="Relieve istiod before anything else",
        steps=(*_SAVE, "look-at-istiod", "grow-istiod", "scope-configuration", *_END),
        never=("Do not scale istiod to nothing, and do not restart proxies while it is late.",
               "Do not ask it for a push by /debug/adsz: it is late already."),
    ),
    "route-shadowed": Recipe(
        title="Put the narrower match first",
        steps=(*_SAVE, "restore-objects", *_END),
    ),
    "no-healthy-upstream": Recipe(
        title="Bring the hosts back",
        steps=(*_SAVE, "bring-hosts-back", "shift-traffic", *_END),
        never=("Do not raise breaker limits: nothing overflowed.",),
    ),
    "circuit-breaker-overflow": Recipe(
        title="Make room, or ask for less",
        steps=(*_SAVE, "raise-pool", "add-capacity", "bound-requests", *_END),
        never=("Do not POST /reset_counters: it resets no breaker and ends the evidence.",),
    ),
    "upstream-connect-failure": Recipe(
        title="Make the endpoints reachable, or send calls elsewhere",
        steps=(*_SAVE, "bring-hosts-back", "restart-servers", "shift-traffic", "push-again", *_END),
    ),
    "upstream-timeout": Recipe(
        title="Relieve the slow workload, and bound what waits for it",
        steps=(*_SAVE, "add-capacity", "bound-requests", "shift-traffic", *_END),
        never=("Do not only raise the timeout: more calls wait then.",),
    ),
    "rate-limited": Recipe(
        title="Decide whether the limit or the load is wrong",
        steps=(*_SAVE, "restore-objects", "add-capacity", *_END),
    ),
    "memory-leak": Recipe(
        title="A long enough series, time, then one workload at a time",
        steps=("keep-evidence", "watch-memory", "save-objects", "confirm-sync", "raise-memory-limit", "bound-requests",
               "restart-workloads", *_END),
        never=("Do not delete pods in a loop: the evidence goes, and disruption budgets are ignored.",),
    ),
    "memory-config-growth": Recipe(
        title="Send proxies less",
        steps=(*_SAVE, "scope-configuration", "raise-memory-limit", *_END),
    ),
    "memory-traffic-growth": Recipe(
        title="Size the sidecar by its peak",
        steps=(*_SAVE, "add-capacity", "raise-memory-limit", *_END),
    ),
    "memory-retention": Recipe(
        title="Nothing urgent: the memory is free inside the process",
        steps=("keep-evidence", "watch-memory", "save-objects", "confirm-sync", "restart-workloads", *_END),
        never=("Do not treat it as a leak: what is allocated does not grow.",),
    ),
}  # fmt: skip
"""By incident id; a test holds that every incident has one."""

OF_LINKERD = {
    "root-expired": Recipe(
        title="A new issuer, or a new trust anchor with it, then every meshed workload restarted",
        steps=("keep-evidence", "save-linkerd-identity", "renew-linkerd-issuer", "replace-linkerd-anchor",
               "restart-linkerd", "verify"),
        never=(("Do not restart workloads before the new certificates are given out: a new proxy gets none, and those "
                "that run may still hold a valid one."),
               "Do not delete linkerd-identity-issuer before the new files verify: nothing is signed without it."),
    ),
}  # fmt: skip
"""By incident id, where a verdict is about what Linkerd keeps."""
