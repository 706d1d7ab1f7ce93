"""What is wrong with a certificate or a chain itself, whatever its times are."""

import re

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._places import held_by_proxies, of_proxies, with_identity
from meshforensics.formats import x509
from meshforensics.profile import Profile
from meshforensics.tables import keys, text, texts, true, where

_KEY = re.compile(r"(rsa|dsa|ec)\s+\D*(\d+)")
_WEAK_HASH = re.compile(r"md2|md4|md5|sha1|sha-1|-with-SHA1|dsa-with-sha1\b", re.IGNORECASE)
_SIGNS = "key_cert_sign"
_SENT = ("leaf", "intermediate", "root-in-chain")


@check(
    "certificates.unreadable",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["place", "error"],
    subject="subject_id",
    title="A block that says it is a certificate is none",
    detail="{place}: {error}; {count} hold it",
    remediation="Compare the Secret or ConfigMap with what was meant; a proxy refuses the whole secret.",
    source="guide, phase 3; RFC 7468",
)
def unreadable(certificates: pd.DataFrame) -> pd.DataFrame:
    return certificates[certificates["error"].notna()]


@check(
    "certificates.chain-broken",
    phase="certificates",
    plane="state",
    severity="error",
    by=["end", "sent"],
    title="A certificate chain is broken",
    detail="the chain of {place} ends at {end}, and what is sent beside it, {sent}, did not sign that; {count:proxy|s}",
    remediation="Put the leaf first and each issuer after what it signed; cert-chain.pem must lead to root-cert.pem.",
    source="guide, phase 3, step 5; RFC 8446 §4.4.2, RFC 5280 §6.1",
)
def chain_broken(certificates: pd.DataFrame) -> pd.DataFrame:
    """What is sent does not lead on from the leaf, and no root that any proxy holds ends the chain there."""
    whole = held_by_proxies(certificates[certificates["pem"].notna()])
    roots = tuple(sorted(set(texts(whole[whole["role"] == "root"]["pem"]))))
    chains = whole[whole["role"].isin(_SENT)]
    several = chains[chains.groupby(_holders(chains))["depth"].transform("size") > 1] if len(chains) else chains
    ends: dict[tuple[str, ...], str] = {}
    rows = []
    for _, chain in several.groupby(_holders(several), sort=False):
        leaf, sent = text(chain["pem"]).iloc[0], tuple(text(chain["pem"])[1:])
        end = ends.setdefault((leaf, *sent), "") or x509.stray_of(leaf, sent, roots)
        ends[leaf, *sent] = end
        if end:
            rows.append({**chain.iloc[0].to_dict(), "end": end, "sent": ", ".join(text(chain["serial"])[1:])})
    return pd.DataFrame(rows, columns=[*chains.columns, "end", "sent"])


def _holders(rows: pd.DataFrame) -> "list[pd.Series[str]]":
    pointers = text(rows["pointer"]).str.replace(r"#pem\d+\Z|/cert_chain/\d+\Z|/certChain/\d+.*\Z", "", regex=True)
    return [text(rows["item"]), pointers]


@check(
    "certificates.wrong-usage",
    phase="certificates",
    plane="state",
    severity="error",
    by=["why", "issuer"],
    title="A certificate is used for what it does not allow",
    detail="{role} {serial} of {place} {why}; {count:holds|hold} one like it",
    remediation="Issue it for its use: a workload's for server and client, a CA's with CA:TRUE and keyCertSign.",
    source="guide, phase 3; RFC 5280 §4.2.1.3, §4.2.1.9 and §4.2.1.12, as BoringSSL judges them",
)
def wrong_usage(certificates: pd.DataFrame) -> pd.DataFrame:
    """A certificate that limits itself to nothing may be used for all; only what proxies use is judged."""
    used = held_by_proxies(certificates[certificates["fingerprint"].notna()])
    named = with_identity(used)
    limits = (named["key_usage"], named["extended_key_usage"])
    signs = true(named["is_ca"], missing=True)
    why = [_misused(*said) for said in zip(texts(named["role"]), named["identity"], signs, *limits, strict=True)]
    return where(named.assign(why=pd.Series(why, index=named.index, dtype="str")), map(bool, why))


def _misused(role: str, identity: str, is_ca: bool, usage: object, purposes: object) -> str:
    """Why a certificate must not be used in its role; empty where it may."""
    if role == "leaf":
        wanted = ("serverAuth", "clientAuth") if identity else ("serverAuth",)
        known = isinstance(purposes, tuple) and "anyExtendedKeyUsage" not in purposes
        lacking = [each for each in wanted if known and each not in purposes] if isinstance(purposes, tuple) else []
        if not identity and isinstance(purposes, tuple) and "clientAuth" in purposes:
            lacking = []  # the credential of a client, which a DestinationRule may name too
        return f"is not for {' and '.join(lacking)}" if lacking else ""
    if role == "intermediate" and not is_ca:
        return "is sent as an issuer and is no CA"
    if role in {"root", "intermediate"} and is_ca and isinstance(usage, tuple) and _SIGNS not in usage:
        return "is a CA that may not sign certificates"
    return ""


@check(
    "certificates.weak-key",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["key", "role"],
    subject="subject_id",
    title="A certificate has a weak key",
    detail="{role} {serial} has a key of {key}; {count:holds|hold} one like it",
    remediation="Issue it anew with RSA of 2048 bits or more, or ECDSA P-256.",
    source="guide, phase 3; NIST SP 800-57 part 1, table 2; Envoy refuses RSA under 2048 bits for its own certificate",
)
def weak_key(certificates: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    least = {
        "rsa": profile.number("certificates.rsa-bits"),
        "dsa": profile.number("certificates.rsa-bits"),
        "ec": profile.number("certificates.ec-bits"),
    }
    weak = {key for key in set(texts(certificates["key"])) if _bits(key) < least.get(key.partition(" ")[0], 0)}
    return certificates[certificates["key"].isin(weak)]


def _bits(key: str) -> float:
    """The size of a key as the table writes it.

    >>> _bits("rsa 2048"), _bits("ec secp256r1"), _bits("ed25519")
    (2048.0, 256.0, inf)
    """
    found = _KEY.match(key)
    return float(found.group(2)) if found else float("inf")


@check(
    "certificates.weak-signature",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["signature_algorithm", "role"],
    subject="subject_id",
    title="A certificate is signed by a weak algorithm",
    detail="{role} {serial} is signed by {signature_algorithm}; {count:holds|hold} one like it",
    remediation="Issue it anew with SHA-256 or better; Go programs such as istiod refuse SHA-1 already.",
    source="guide, phase 3; RFC 9155; Go crypto/x509 InsecureAlgorithmError",
)
def weak_signature(certificates: pd.DataFrame) -> pd.DataFrame:
    """Nobody verifies the signature of a certificate that is trusted as it stands."""
    weak = {each for each in set(texts(certificates["signature_algorithm"])) if _WEAK_HASH.search(each)}
    signed = ~certificates["self_issued"].fillna(False).astype(bool)
    return certificates[certificates["signature_algorithm"].isin(weak) & signed]


_MATCHED = ("kubernetes://", "kubernetes-gateway://")


@check(
    "certificates.gateway-name",
    phase="certificates",
    plane="edge",
    severity="warning",
    by=["serial", "host"],
    title="A gateway's certificate is not for the host that it is shown for",
    detail="{host} is served with the certificate of {san} ({serial})",
    remediation="Point credentialName at a certificate for that host, or correct the Gateway's hosts.",
    source="guide, phase 3 (subject_alt_names); RFC 6125 §6.4",
)
def gateway_name(
    certificates: pd.DataFrame, filter_chains: pd.DataFrame, listener_instances: pd.DataFrame
) -> pd.DataFrame:
    """Judged where a filter chain asks for the server name and names the secret that it shows."""
    leaves = with_identity(of_proxies(certificates, "leaf"))
    shown = dict(zip(keys(leaves, "namespace", "pod", "place"), leaves.index, strict=True))
    held = listener_instances[listener_instances["state"].isin(["active", "static"])]
    asked: dict[str, list[tuple[str, str]]] = {}
    for resource, *own in zip(
        texts(filter_chains["resource"]), filter_chains["secrets"], filter_chains["server_names"], strict=True
    ):
        asked.setdefault(resource, []).extend(_pairs(*own))
    rows = []
    for namespace, pod, resource in keys(held, "namespace", "pod", "resource"):
        for secret, host in asked.get(resource, ()):
            at = shown.get((namespace, pod, f"sds:{secret}"))
            if at is not None and not _is_for(leaves.at[at, "san"], host):
                rows.append({**leaves.loc[at].to_dict(), "host": host})
    return pd.DataFrame(rows, columns=[*leaves.columns, "host"])


def _pairs(secrets: object, hosts: object) -> list[tuple[str, str]]:
    named = [str(each) for each in secrets if str(each).startswith(_MATCHED)] if isinstance(secrets, tuple) else []
    asked = [str(each) for each in hosts] if isinstance(hosts, tuple) else []
    return [(secret, host) for secret in named for host in asked]


def _is_for(names: object, host: str) -> bool:
    """Whether a certificate of these names is for a host; both may have a wildcard as their first label."""
    said = [str(name).lower().rstrip(".") for name in names] if isinstance(names, (tuple, list)) else []
    wanted = host.lower().rstrip(".")
    above = wanted.partition(".")[2]
    return not said or wanted in said or bool(above and f"*.{above}" in said)
