"""Known error texts in logs, one finding a family; facts beside the measures of other checks."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.tables import text

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


def _families(signatures: pd.DataFrame, window: Window, families: tuple[str, ...]) -> pd.DataFrame:
    inside = (signatures["at"] >= pd.Timestamp(window.start)) & (signatures["at"] <= pd.Timestamp(window.end))
    chosen = signatures[inside & text(signatures["family"]).isin(families)]
    lines = chosen.groupby("family", observed=True)["pointer"].transform("size")
    return chosen.sort_values("at").assign(lines=lines)


@check(
    "signatures.tls",
    phase="certificates",
    plane="state",
    severity="error",
    by=["family", "who"],
    observed="lines",
    unit="lines",
    title="TLS handshakes fail",
    detail="{lines} lines since {at}: {cause} ({family}, judged by {who})",
    remediation="`local` means that this proxy refused its peer; `peer` that the peer refused it.",
    source="BoringSSL error strings in Envoy's transport failure reason",
)
def tls(signatures: pd.DataFrame, window: Window) -> pd.DataFrame:
    return _families(signatures, window, _TLS)


@check(
    "signatures.delivery",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["family"],
    observed="lines",
    unit="lines",
    title="Errors between proxies and the control plane",
    detail="{lines} lines since {at}: {cause} ({family})",
    remediation="Read the first and the last of them; a few during a restart of istiod are normal.",
    source="Envoy, pilot-agent and istiod log texts",
)
def delivery(signatures: pd.DataFrame, window: Window) -> pd.DataFrame:
    return _families(signatures, window, _DELIVERY)


@check(
    "signatures.roots",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["family"],
    observed="lines",
    unit="lines",
    title="A root CA changed, or a change was refused",
    detail="{lines} lines since {at}: {cause} ({family})",
    remediation="Compare the roots that proxies hold; date the change by these lines.",
    source="istiod and pilot-agent log texts on root certificates",
)
def roots(signatures: pd.DataFrame, window: Window) -> pd.DataFrame:
    return _families(signatures, window, _ROOTS)
