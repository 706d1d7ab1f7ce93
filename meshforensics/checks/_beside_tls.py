"""What else tells of errors of TLS: keys, times and names of the certificates of both sides, and who takes TLS."""

import pandas as pd

from meshforensics.checks._lines import Judge, Lines, Pods, Tells
from meshforensics.checks.control_plane_webhooks import webhook_ca_mismatch
from meshforensics.model.words import count_of, in_words
from meshforensics.tables import keys, text, texts, true, where

_ERROR = ("ssl.fail_verify_error",)
_ALERT = ("ssl.connection_error",)
"""Any error of TLS but a certificate that did not verify here: an alert of the peer too."""

_CRL = "istio-ca-crl"
_BOUNDS = r"minProtocolVersion|maxProtocolVersion|cipherSuites|min_protocol_version"


def _pairs_of(lines: Lines) -> pd.DataFrame:
    """The pairs that were judged in which a pod that logged it is a side; where clusters are named, with their pods."""
    pairs = lines.table("tls_pairs")
    judged = pairs[pairs["verified"].notna()] if len(pairs) else pairs
    if judged.empty or not lines.pods:
        return judged
    sides = zip(keys(judged, "namespace", "pod"), keys(judged, "server_namespace", "server_pod"), strict=True)
    near = where(judged, (client in lines.pods or server in lines.pods for client, server in sides))
    servers = lines.behind
    told = where(near, (each in servers for each in keys(near, "server_namespace", "server_pod"))) if servers else near
    return told if len(told) else near


def _pairs(lines: Lines) -> str:
    judged = _pairs_of(lines)
    if judged.empty:
        return ""
    broken = int((~true(judged["verified"], missing=True)).sum())
    if broken:
        said = "confirmed: {broken} of {every:pair|s} that may call each other {broken:~does|do} not verify, by key"
        return in_words(said, broken=broken, every=len(judged))
    said = "{every:~the only pair that may call each other verifies|all {every} pairs that may call each other verify}"
    return in_words("refuted as of the capture: " + said + ", by key", every=len(judged))


def _by_key_alone(lines: Lines) -> str:
    """For a text that does not say why: where keys are right, names and times are left."""
    said = _pairs(lines)
    return "as of the capture all pairs verify by key: look at names and times" if said.startswith("refuted") else said


def _unknown_root(lines: Lines) -> str:
    """Of proxies by the pairs; of Go programs by what the API server trusts, and by roots that differ."""
    of_go = lines.rows["signature"] == "T17"
    if not of_go.any():
        return _pairs(lines)
    certificates, webhooks = lines.table("certificates"), lines.table("webhooks")
    if text(lines.rows["text"]).str.contains("webhook", regex=False).any():
        if certificates.empty or webhooks.empty:
            return ""
        wrong = webhook_ca_mismatch.rows(certificates=certificates, webhooks=webhooks)
        names = sorted(set(texts(wrong["name"])))
        return f"confirmed: the CA bundle of webhook {names[0]} is no root of the mesh" if names else ""
    return several_roots(lines)


def several_roots(lines: Lines) -> str:
    """Whether proxies hold one root."""
    trust = lines.table("trust")
    if trust.empty:
        return ""
    several = trust["root"].nunique()
    if several > 1:
        return f"confirmed: {several} roots, by key, are held among the proxies"
    return "as of the capture all proxies hold one root, by key"


def _names(lines: Lines) -> str:
    """The names that the callers' clusters accept, where no captured leaf shows one of them."""
    clusters, certificates = lines.table("clusters"), lines.table("certificates")
    if clusters.empty or certificates.empty:
        return ""
    own = clusters[text(clusters["name"]).isin(lines.clusters)]
    accepted = {str(each) for many in own["sans"] if isinstance(many, tuple) for each in many}
    leaves = certificates[text(certificates["role"]) == "leaf"]
    if lines.behind:
        leaves = where(leaves, (pod in lines.behind for pod in keys(leaves, "namespace", "pod")))
    shown = {str(each) for many in leaves["san"] if isinstance(many, tuple) for each in many}
    whole = bool(accepted) and all(each.startswith("spiffe://") for each in accepted)
    if not whole or not shown or accepted & shown:
        return ""
    return f"confirmed: {min(accepted)} is accepted, which no captured leaf shows"


def _held_near(lines: Lines) -> pd.DataFrame:
    """The certificates of the side that was refused; of both where it is not told which, of all where none is known."""
    certificates = lines.table("certificates")
    if certificates.empty:
        return certificates
    pairs = _pairs_of(lines)
    others: Pods = frozenset(keys(pairs, "server_namespace", "server_pod")) if len(pairs) else frozenset()
    others |= frozenset(keys(pairs, "namespace", "pod")) if len(pairs) else others
    who = set(texts(lines.rows["who"]))
    sides = lines.pods if who == {"peer"} else (others | lines.behind) - lines.pods if who == {"local"} else frozenset()
    near = where(certificates, (pod in sides for pod in keys(certificates, "namespace", "pod")))
    return near if len(near) else certificates


def _ended(*roles: str) -> Judge:
    def judge(lines: Lines) -> str:
        certificates = _held_near(lines) if roles == ("leaf",) else lines.table("certificates")
        if certificates.empty:
            return ""
        certificates = certificates[~text(certificates["place"]).str.startswith("webhook:")]
        held = certificates[certificates["role"].isin(roles) & certificates["not_after"].notna()]
        ended = held[held["not_after"] < lines.last]
        if len(ended):
            first = text(ended["serial"]).iloc[0]
            return f"confirmed: {count_of(ended['serial'].nunique(), 'such certificate')} had ended, {first} first"
        none = f"none of {count_of(held['serial'].nunique(), 'such certificate')} had ended"
        return f"refuted as of the capture: {none}" if len(held) else ""

    return judge


def _not_begun(lines: Lines) -> str:
    """One that is of later than the last line may have been made after it."""
    certificates = _held_near(lines)
    held = certificates[certificates["not_before"].notna()] if len(certificates) else certificates
    if held.empty:
        return ""
    early = held[held["not_before"] > lines.last]
    if len(early):
        many = count_of(early["serial"].nunique(), "certificate")
        return f"confirmed: {many} had not begun, {text(early['serial']).iloc[0]} first"
    said = "{count:~the only certificate|all {count} certificates} had begun; look at clocks"
    return in_words("refuted as of the capture: " + said, count=held["serial"].nunique())


def _plain_hosts(lines: Lines) -> str:
    """Hosts of the clusters that have no sidecar, which alone could take TLS."""
    pods = lines.table("pods")
    servers = lines.behind if any(name.startswith("outbound|") for name in lines.clusters) else frozenset()
    known = where(pods, (pod in servers for pod in keys(pods, "namespace", "pod"))) if len(pods) else pods
    told = known[known["injected"].notna()] if len(known) else known
    if told.empty:
        return ""
    bare = told[~true(told["injected"], missing=True)]
    if bare.empty:
        return in_words(
            "{n:~its only host has|all {n} hosts have} a sidecar: look at the mode of the port", n=len(told)
        )
    name = f"{bare['namespace'].iloc[0]}/{bare['pod'].iloc[0]}"
    return in_words(
        "confirmed: {bare} of {n:host|s} {bare:~has|have} no sidecar, {name} first",
        bare=len(bare),
        n=len(told),
        name=name,
    )


def _undelivered(lines: Lines) -> str:
    secrets = lines.own("secret_instances")
    if secrets.empty:
        return ""
    waiting = secrets[secrets["state"].isin(["warming", "error"])]
    if len(waiting):
        first = waiting.iloc[0]
        return f"confirmed: {first['namespace']}/{first['pod']} has no {first['name']} as of the capture"
    return in_words(
        "over as of the capture: {n:~the only secret|all {n} secrets} of who logged it {n:~is|are} there",
        n=len(secrets),
    )


def _bounds(lines: Lines) -> str:
    """Where versions or ciphers are set, by the Gateways and the mesh itself."""
    config = lines.table("config")
    if config.empty:
        return ""
    kinds = config["kind"].isin(["Gateway", "ConfigMap", "DestinationRule", "ProxyConfig"])
    setting = config[kinds & text(config["spec"]).str.contains(_BOUNDS)]
    objects = sorted(set(texts(setting["object"])))
    return f"versions or ciphers are set by {' and '.join(objects[:2])}" if objects else ""


def _revoked(lines: Lines) -> str:
    config = lines.table("config")
    given = config[(config["kind"] == "ConfigMap") & (config["name"] == _CRL)] if len(config) else config
    if given.empty:
        return ""
    return f"confirmed: a list of revoked certificates is given out, as {text(given['object']).iloc[0]}"


_KEYS = "table tls_pairs: whether the leaves of callers and servers verify under the other's roots, by key"
_TIMES = "table certificates: the times of the leaf of the side that was refused"

TELLS = {
    "tls-unknown-root": Tells(
        topic="tls", judge=_unknown_root,
        by=_KEYS + "; of Go programs the CA bundles of webhooks and the roots that proxies hold",
        counters=_ERROR, of_peer=_ALERT, only=("T4", "T5", "T9"), flags=("UF",),
    ),
    "tls-verify": Tells(
        topic="tls", judge=_by_key_alone, by=_KEYS,
        counters=(*_ERROR, "ssl.fail_verify_san", "ssl.fail_verify_cert_hash"), of_peer=_ALERT, flags=("UF",),
    ),
    "tls-identity": Tells(
        topic="tls", judge=_names, by="the names that clusters accept against those that captured leaves show",
        counters=("ssl.fail_verify_san",), flags=("UF",),
    ),
    "tls-pinned": Tells(topic="tls", counters=("ssl.fail_verify_cert_hash",), flags=("UF",)),
    "tls-not-yet-valid": Tells(topic="tls", judge=_not_begun, by=_TIMES, counters=_ERROR, flags=("UF",)),
    "tls-leaf-expired": Tells(
        topic="tls", judge=_ended("leaf"), by=_TIMES, counters=_ERROR, of_peer=_ALERT, only=("T1", "T8", "T8b"),
        flags=("UF",),
    ),
    "tls-root-expired": Tells(
        topic="tls", judge=_ended("root", "intermediate"),
        by="table certificates: the times of roots and intermediates",
        counters=_ERROR, only=("T2",), flags=("UF",),
    ),
    "tls-to-plaintext": Tells(
        topic="tls", judge=_plain_hosts, by="hosts of the cluster whose pod has no sidecar", counters=_ALERT,
        flags=("UF",),
    ),
    "tls-no-certificate": Tells(
        topic="tls", judge=_undelivered, by="table secret_instances: what the proxy still waits for",
        counters=("upstream_context_secrets_not_ready", "downstream_context_secrets_not_ready"), flags=("UF",),
    ),
    "tls-no-client-certificate": Tells(topic="tls", counters=("ssl.fail_verify_no_cert",)),
    "tls-parameters": Tells(
        topic="tls", judge=_bounds, by="Gateways and mesh configuration that set versions or ciphers", counters=_ALERT,
        flags=("UF",),
    ),
    "tls-revoked": Tells(
        topic="tls", judge=_revoked, by=f"ConfigMap {_CRL}, by which a list of revoked certificates reaches ztunnels"
    ),
    "tls-handshake-cut": Tells(
        topic="calls", judge=_plain_hosts, by="hosts of the cluster whose pod has no sidecar",
        counters=("upstream_cx_connect_fail",), flags=("UF",),
    ),
    "plaintext-to-tls": Tells(topic="calls", counters=_ALERT),
}  # fmt: skip
