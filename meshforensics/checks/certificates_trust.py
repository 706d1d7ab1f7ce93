"""Roots: who holds which, in all places that keep them; who can verify whom, and when that changed."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model.words import count_of, noun
from meshforensics.tables import ABSENT, text, texts, true

_CA_SECRETS = r"secret:.*/(?:istio-ca-secret|cacerts)"
_GIVEN_OUT = r"configmap:.*/istio-ca-root-cert"


@check(
    "certificates.trust-split",
    phase="certificates",
    plane="state",
    severity="error",
    by=["shared"],
    subject="{namespace}/{pod}",
    observed="shared",
    unit="roots",
    title="Groups of proxies have no root in common",
    detail="{groups}",
    remediation="Give every proxy both roots before any leaf is signed by the new one; do not restart callers.",
    source="guide, phase 3; incidents of root rotation: both sides must hold the other's root",
)
def trust_split(trust: pd.DataFrame) -> pd.DataFrame:
    """Every proxy's set of roots, by key; sets that overlap with all others are no split, and all others are one."""
    holder = text(trust["namespace"]) + "/" + text(trust["pod"])
    roots: dict[str, set[str]] = {}
    serials: dict[str, set[str]] = {}
    for name, root, serial in zip(holder, texts(trust["root"]), texts(trust["serial"]), strict=True):
        roots.setdefault(name, set()).add(root)
        serials.setdefault(name, set()).add(serial)
    holders: dict[frozenset[str], list[str]] = {}
    for name, held in sorted(roots.items()):
        holders.setdefault(frozenset(held), []).append(name)
    apart = {each: names for each, names in holders.items() if any(each.isdisjoint(other) for other in holders)}
    said = sorted(
        (", ".join(sorted({serial for name in names for serial in serials[name]})), names) for names in apart.values()
    )
    groups = "; ".join(
        f"{count_of(len(names), 'proxy')}, {names[0]} first, {noun(len(names), 'trusts', 'trust')} only {held}"
        for held, names in said
    )
    split = trust.assign(holder=holder, shared=0, groups=groups).drop_duplicates("holder")
    return split[split["holder"].isin([name for names in apart.values() for name in names])]


@check(
    "certificates.pair-cannot-verify",
    phase="certificates",
    plane="state",
    severity="critical",
    by=["server_root", "who", "reason"],
    subject="{server_namespace}/{server_pod}",
    observed="reason",
    title="Leaf certificates that their peers cannot verify",
    detail="{who}, for {count:server|s}, such as {namespace}/{pod} to {server_namespace}/{server_pod}: {reason}",
    remediation="Distribute both roots to both sides, then renew the leaves.",
    source="guide, phase 3; RFC 5280 §6.1, by key",
)
def pair_cannot_verify(tls_pairs: pd.DataFrame) -> pd.DataFrame:
    """Of pairs that may call each other; not of those that surely never did: `cannot-verify` warns of them."""
    broken = tls_pairs[~true(tls_pairs["verified"], missing=True) & true(tls_pairs["used"], missing=True)]
    sides = zip(*(true(broken[f"{side}_verifies"], missing=True) for side in ("client", "server")), strict=True)
    who = [_WHO.get((bool(client), bool(server)), "one side does not verify the other") for client, server in sides]
    return broken.assign(who=pd.Series(who, index=broken.index, dtype="str"))


_WHO = {
    (False, False): "callers and servers do not verify each other",
    (False, True): "callers do not verify servers",
    (True, False): "servers do not verify their callers",
}


@check(
    "certificates.cannot-verify",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["roots", "reason"],
    subject="shown",
    observed="judging",
    unit="proxies",
    title="Proxies could not verify others, should they call them",
    detail="{judging:proxy|s} with the roots {roots} ({first}) {judging:~does|do} not verify {count:other|s}: {reason}",
    remediation="Give every proxy both roots; table trust_matrix lists who verifies whom.",
    source="guide, phase 3; RFC 5280 §6.1, by key",
)
def cannot_verify(trust_matrix: pd.DataFrame) -> pd.DataFrame:
    """Whether they call each other or not; of those who do, `pair-cannot-verify` tells."""
    gaps = trust_matrix[~true(trust_matrix["verified"], missing=True)]
    many = [each if isinstance(each, (tuple, list)) else () for each in gaps["judges"]]
    told = gaps.assign(
        judging=pd.Series([len(each) for each in many], index=gaps.index, dtype="Int64"),
        first=pd.Series([str(each[0]) if each else "" for each in many], index=gaps.index, dtype="str"),
        shown=gaps["shows"],
    )
    return told.explode("shown").dropna(subset=["shown"])


@check(
    "certificates.several-roots",
    phase="certificates",
    plane="state",
    severity="info",
    by=["roots"],
    observed="several",
    unit="roots",
    title="Proxies hold several roots of the mesh",
    detail="{several:root|s}, by key, are trusted: {roots}",
    remediation="Right during a rotation, when every proxy holds both; drop the old one when no leaf chains to it.",
    source="guide, phase 3; rotation with an overlap",
)
def several_roots(trust: pd.DataFrame) -> pd.DataFrame:
    """By key: a root that was issued anew with its old key is the same root."""
    several = trust["root"].nunique()
    if several < 2:
        return trust.iloc[:0].assign(several=0, roots="")
    counts = trust.drop_duplicates(["namespace", "pod", "root"]).groupby(text(trust["serial"])).size()
    said = ", ".join(f"{serial} in {count_of(count, 'proxy')}" for serial, count in sorted(counts.items()))
    return trust.drop_duplicates("root").assign(several=several, roots=said)


_KEPT = ["holder", "kept", "root", "serial", "fingerprint", "not_before", "item", "pointer"]


def _holders(trust: pd.DataFrame, certificates: pd.DataFrame) -> pd.DataFrame:
    """Every place that keeps roots of the mesh: proxies, the CA's Secrets, what is given out to namespaces."""
    parts = [_in_objects(certificates)] if len(certificates) else []
    if len(trust):
        names = text(trust["namespace"]) + "/" + text(trust["pod"])
        parts.append(trust.assign(holder=names, kept="proxies"))
    whole = [part[_KEPT].astype("object") for part in parts if len(part)]
    return pd.concat(whole, ignore_index=True) if whole else pd.DataFrame(columns=_KEPT, dtype="object")


def _in_objects(certificates: pd.DataFrame) -> pd.DataFrame:
    """Roots in Secrets and ConfigMaps; root-cert.pem of istio-ca-secret stays old after a rotation and is no sign."""
    place = text(certificates["place"])
    kept = certificates[
        place.str.fullmatch(f"{_CA_SECRETS}|{_GIVEN_OUT}")
        & certificates["spki"].notna()
        & certificates["role"].isin(["root", "root-in-chain"])
        & ~(place.str.endswith("/istio-ca-secret") & text(certificates["pointer"]).str.contains("/data/root-cert"))
    ]
    kinds = ["the CA" if each.startswith("secret:") else "namespaces" for each in texts(kept["place"])]
    named = pd.Series(kinds, index=kept.index, dtype="str")
    return kept.assign(holder=text(kept["subject_id"]), root=text(kept["spki"]), kept=named)


@check(
    "certificates.old-root-held",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["newest"],
    subject="holder",
    observed="serial",
    title="Places that keep roots do not hold the newest one",
    detail="{count:place|s} ({where}) {count:~does|do} not hold root {newest}, begun {begun}, which "
    "{others:holds|hold}; {holder}{count:~| first}",
    remediation="A proxy learns a root when its own leaf is next signed; no leaf may chain to it before all hold it.",
    source="guide, phase 3: ca-cert.pem, cacerts, istio-ca-root-cert and each proxy's ROOTCA compared, by key",
)
def old_root_held(trust: pd.DataFrame, certificates: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """The newest by its begin, among all places; where each place holds it there is nothing to say."""
    held = _holders(trust, certificates)
    known = held[held["not_before"].notna()]
    if known["root"].nunique() < 2:
        return held.iloc[:0].assign(newest="", begun="", others="", where="")
    newest = known.sort_values(["not_before", "serial"], kind="stable").iloc[-1]
    having = set(held[held["root"] == newest["root"]]["holder"])
    late = held[~held["holder"].isin(having)].drop_duplicates("holder")
    said = ", ".join(f"{kept} {count}" for kept, count in late["kept"].value_counts().sort_index().items())
    return late.assign(newest=newest["serial"], begun=newest["not_before"], others=len(having), where=said)


@check(
    "certificates.ca-root-not-given-out",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["ca_root"],
    subject="holder",
    observed="serial",
    title="The CA's root is not the one that proxies and namespaces hold",
    detail="the CA keeps root {ca_root}; {count:place holds|places hold} another key in its stead, {holder} with "
    "{serial}",
    remediation="Leaves signed from now on verify only where that root is held: give it out before istiod restarts.",
    source="guide, phase 3 (istio-ca-secret: read ca-cert.pem; root-cert.pem shows the old root after a rotation)",
)
def ca_root_not_given_out(certificates: pd.DataFrame, trust: pd.DataFrame = ABSENT) -> pd.DataFrame:
    held = _holders(trust, certificates)
    own = held[held["kept"] == "the CA"]
    having = set(held[held["root"].isin(set(own["root"]))]["holder"])
    others = held[(held["kept"] != "the CA") & ~held["holder"].isin(having)] if len(own) else held.iloc[:0]
    serials = ", ".join(sorted(set(own["serial"].astype("str"))))
    return others.drop_duplicates("holder").assign(ca_root=serials)


@check(
    "certificates.root-reissued",
    phase="certificates",
    plane="state",
    severity="info",
    by=["root"],
    subject="holder",
    observed="several",
    unit="certificates",
    title="A root was issued anew with its old key",
    detail="root key {short} is held as {several:certificate|s} ({serials}); leaves verify under either",
    remediation="Nothing; this is how Istio's own CA rotates its root in the last fifth of its life.",
    source="guide, phase 3; istiod selfsignedcarootcertrotator keeps the key: compare keys, not certificates",
)
def root_reissued(trust: pd.DataFrame, certificates: pd.DataFrame = ABSENT) -> pd.DataFrame:
    held = _holders(trust, certificates)
    whole = held[held["fingerprint"].notna()].astype({"root": "str", "fingerprint": "str", "serial": "str"})
    told = whole.groupby("root").agg(several=("fingerprint", "nunique"), serials=("serial", _listed))
    again = whole.merge(told[told["several"] > 1], on="root")
    return again.assign(short=again["root"].str[:12]).drop_duplicates(["holder", "root"])


def _listed(serials: "pd.Series[str]") -> str:
    return ", ".join(sorted({str(each) for each in serials}))


@check(
    "certificates.trust-changed",
    phase="certificates",
    plane="state",
    severity="info",
    by=["became"],
    subject="{namespace}/{pod}",
    observed="became",
    title="The roots that a proxy trusts changed between two captures",
    detail="{count:proxy|s} came to trust {became} in place of {was}, first seen {at}",
    remediation="Compare with the time at which handshakes began to fail, and with the CA's Secret.",
    source="guide, phase 3; a sidecar learns a new root when its own leaf is next signed",
)
def trust_changed(trust_over_time: pd.DataFrame) -> pd.DataFrame:
    """By key, where both captures tell it by key; a capture that tells less is no change."""
    known = trust_over_time[trust_over_time["captured_at"].notna() & trust_over_time["spki"].notna()]
    known = known[known.groupby(["namespace", "pod"], observed=True)["captured_at"].transform("nunique") > 1]
    rows = []
    for _, samples in known.groupby([text(known["namespace"]), text(known["pod"])]):
        before: tuple[frozenset[str], str] | None = None
        for at, held in samples.groupby("captured_at", sort=True):
            now = (frozenset(texts(held["root"])), ", ".join(sorted(set(texts(held["serial"])))))
            if before is not None and before[0] != now[0]:
                rows.append({**held.iloc[0].to_dict(), "was": before[1], "became": now[1], "at": at})
            before = now
    return pd.DataFrame(rows, columns=[*trust_over_time.columns, "was", "became", "at"])
