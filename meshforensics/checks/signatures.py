"""Known error texts of every log, one finding a family: how many, when, how the rate changed, and what else tells."""

import pandas as pd

from meshforensics.checks._beside import beside
from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, inside, keys, text, texts, where

_TLS = (
    "tls-root-expired",
    "tls-leaf-expired",
    "tls-not-yet-valid",
    "tls-identity",
    "tls-pinned",
    "tls-unknown-root",
    "tls-to-plaintext",
    "tls-no-certificate",
    "tls-no-client-certificate",
    "tls-parameters",
    "tls-revoked",
    "tls-verify",
)
_DELIVERY = (
    "config-rejected",
    "config-not-received",
    "envoyfilter",
    "signing",
    "webhook",
    "config-too-large",
)
_ROOTS = ("root-refused", "ca-incomplete", "root-changed", "ca-rotation-failed")
_STREAM_ENDS = "xds-stream-closed"
_SHOWN = 100


def _families(
    signatures: pd.DataFrame,
    window: Window,
    families: tuple[str, ...],
    by: tuple[str, ...] = ("family",),
    log_coverage: pd.DataFrame = ABSENT,
    **frames: pd.DataFrame,
) -> pd.DataFrame:
    """Each family's lines of the window, with what is said of all of them."""
    ours = signatures[text(signatures["family"]).isin(families)]
    chosen = inside(ours, window)
    if chosen.empty:
        return chosen.assign(lines=0, last="", trend="", example="", beside="")
    begun = log_coverage["first_at"].min() if len(log_coverage) else ours["at"].min()
    parts = []
    for cause, group in chosen.groupby([text(chosen[name]).rename(name) for name in by], sort=True):
        all_of_it = where(ours, (each == cause for each in keys(ours, *by)))
        example = text(group.sort_values("at")["text"]).iloc[0]
        said = {
            "lines": len(group),
            "last": group["at"].max(),
            "trend": _trend(all_of_it, window, begun),
            "example": example[:_SHOWN] + ("…" if len(example) > _SHOWN else ""),
            "beside": beside(str(group["family"].iloc[0]), group, frames, pd.Timestamp(window.end)),
        }
        parts.append(group.assign(**said))
    return pd.concat(parts).sort_values("at", kind="stable")


def _trend(rows: pd.DataFrame, window: Window, begun: pd.Timestamp) -> str:
    """The rate inside the window beside that before it; where no log reaches back, of the halves of what is there."""
    start, end = pd.Timestamp(window.start), pd.Timestamp(window.end)
    since = start if pd.isna(begun) else begun
    before, now = ("before", "") if since < start else ("in the first", " in the second half of the log")
    middle = start if since < start else since + (end - since) / 2
    earlier = _per_minute(int(((rows["at"] < middle) & (rows["at"] >= since)).sum()), middle - since)
    later = _per_minute(int(((rows["at"] >= middle) & (rows["at"] <= end)).sum()), end - middle)
    return f"{later:.3g} a minute{now}, {earlier:.3g} {before}"


def _per_minute(count: int, span: pd.Timedelta) -> float:
    minutes = span.total_seconds() / 60
    return count / minutes if minutes > 0 else float(count)


_DETAIL = "{lines:line|s} from {at} to {last}, {trend}: {cause} ({family}{judged}); {beside}; e.g. {example}"


@check(
    "signatures.tls",
    phase="certificates",
    plane="state",
    severity="error",
    by=["family", "who"],
    observed="lines",
    unit="lines",
    title="TLS handshakes fail",
    detail=_DETAIL,
    remediation="`local` means that this proxy refused its peer; `peer` that the peer refused it.",
    source="guide, error messages; BoringSSL error strings in Envoy's transport failure reason",
)
def tls(
    signatures: pd.DataFrame,
    window: Window,
    log_coverage: pd.DataFrame = ABSENT,
    tls_pairs: pd.DataFrame = ABSENT,
    certificates: pd.DataFrame = ABSENT,
    clusters: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    rows = _families(
        signatures, window, _TLS, ("family", "who"), log_coverage, tls_pairs=tls_pairs, certificates=certificates,
        clusters=clusters,
    )  # fmt: skip
    return rows.assign(judged=", judged by " + text(rows["who"]))


@check(
    "signatures.delivery",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["family"],
    observed="lines",
    unit="lines",
    title="Errors between proxies and the control plane",
    detail=_DETAIL,
    remediation="Read the first and the last of them; a few during a restart of istiod are normal.",
    source="Envoy, pilot-agent and istiod log texts",
)
def delivery(
    signatures: pd.DataFrame,
    window: Window,
    log_coverage: pd.DataFrame = ABSENT,
    rejections: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    rows = _families(signatures, window, _DELIVERY, log_coverage=log_coverage, rejections=rejections)
    return rows.assign(judged="")


@check(
    "signatures.roots",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["family"],
    observed="lines",
    unit="lines",
    title="A root CA changed, or a change was refused",
    detail=_DETAIL,
    remediation="Compare the roots that proxies hold; date the change by these lines.",
    source="guide, phase 3; istiod and pilot-agent log texts on root certificates",
)
def roots(
    signatures: pd.DataFrame,
    window: Window,
    log_coverage: pd.DataFrame = ABSENT,
    trust: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    rows = _families(signatures, window, _ROOTS, log_coverage=log_coverage, trust=trust)
    return rows.assign(judged="")


@check(
    "signatures.seen",
    phase="traffic",
    plane="service",
    severity="info",
    by=["family"],
    observed="lines",
    unit="lines",
    title="Known error texts in the logs",
    detail=_DETAIL,
    remediation="See the family: table signatures has each line with its cause and what to do first.",
    source="guide, error messages that indicate mesh issues; Envoy, istiod, ztunnel and Linkerd log texts",
)
def seen(
    signatures: pd.DataFrame,
    window: Window,
    profile: Profile,
    log_coverage: pd.DataFrame = ABSENT,
    denials: pd.DataFrame = ABSENT,
    config: pd.DataFrame = ABSENT,
    clusters: pd.DataFrame = ABSENT,
    routes: pd.DataFrame = ABSENT,
    endpoints: pd.DataFrame = ABSENT,
    containers: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Every other family of the catalogue; configuration streams that end now and then are how they live."""
    others = tuple(sorted(set(texts(signatures["family"])) - {*_TLS, *_DELIVERY, *_ROOTS, ""}))
    rows = _families(
        _without_usual_ends(signatures, window, profile), window, others, log_coverage=log_coverage, denials=denials,
        config=config, clusters=clusters, routes=routes, endpoints=endpoints, containers=containers,
    )  # fmt: skip
    return rows.assign(judged="")


def _without_usual_ends(signatures: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    """Without the stream ends of proxies that had few of them in the window."""
    ends = text(signatures["family"]) == _STREAM_ENDS
    recent = inside(signatures[ends], window)
    counts = recent.groupby([text(recent["namespace"]), text(recent["pod"])]).size()
    often = set(counts[counts > profile.number("signatures.stream-ends")].index)
    few = pd.Series(
        [pod not in often for pod in keys(signatures, "namespace", "pod")], index=signatures.index, dtype=bool
    )
    return signatures[~(ends & few)]
