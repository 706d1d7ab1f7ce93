"""What holds a certificate, and what it is for: words that the checks on certificates share."""

import pandas as pd

from meshforensics.tables import keys, text, texts, where

DAY_S = 86400.0


def of_proxies(certificates: pd.DataFrame, role: str) -> pd.DataFrame:
    """The rows of one role that proxies hold."""
    return held_by_proxies(certificates[text(certificates["role"]) == role])


def held_by_proxies(certificates: pd.DataFrame) -> pd.DataFrame:
    """The rows that proxies hold; what objects of Kubernetes hold has no namespace of its own."""
    return certificates[text(certificates["namespace"]) != ""]


def of_objects(certificates: pd.DataFrame, *prefixes: str) -> pd.DataFrame:
    """The rows that Kubernetes objects hold, by how their place begins."""
    return certificates[text(certificates["place"]).str.startswith(prefixes)]


def spiffe_of(names: object) -> str:
    """The SPIFFE identity among some alternative names; empty for none.

    >>> spiffe_of(("web.shop", "spiffe://td/ns/shop/sa/web"))
    'spiffe://td/ns/shop/sa/web'
    """
    said = names if isinstance(names, (tuple, list)) else ()
    return next((str(name) for name in said if str(name).startswith("spiffe://")), "")


def trust_domain_of(identity: str) -> str:
    """The trust domain of a SPIFFE identity.

    >>> trust_domain_of("spiffe://td/ns/shop/sa/web")
    'td'
    """
    return identity.removeprefix("spiffe://").partition("/")[0] if identity.startswith("spiffe://") else ""


def with_identity(leaves: pd.DataFrame) -> pd.DataFrame:
    """Leaves with their `identity`, and the `cause` that they share: the trust domain, else the serial alone."""
    identities = [spiffe_of(names) for names in leaves["san"]]
    domains = [trust_domain_of(each) for each in identities]
    causes = [
        f"trust domain {domain}" if domain else f"serial {serial}"
        for domain, serial in zip(domains, texts(leaves["serial"]), strict=True)
    ]
    return leaves.assign(
        identity=pd.Series(identities, index=leaves.index, dtype="str"),
        trust_domain=pd.Series(domains, index=leaves.index, dtype="str"),
        cause=pd.Series(causes, index=leaves.index, dtype="str"),
    )


def with_life(certificates: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """The rows valid at the instant, with `share_left` of their own life and `days_left`."""
    alive = certificates[(certificates["not_after"] >= at) & (certificates["not_before"] <= at)]
    life = (alive["not_after"] - alive["not_before"]).dt.total_seconds()
    left = (alive["not_after"] - at).dt.total_seconds()
    return alive.assign(share_left=left / life.where(life > 0), days_left=left / DAY_S)


def without_a_valid_one(rows: pd.DataFrame, beside: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """The rows whose holder has none among `beside` that is valid at the instant: an overlap is no fault."""
    valid = beside[(beside["not_after"] >= at) & (beside["not_before"] <= at)]
    safe = set(keys(valid, "subject_id", "namespace", "pod"))
    return where(rows, (holder not in safe for holder in keys(rows, "subject_id", "namespace", "pod")))
