"""Whether each proxy has a certificate, and whether it is the one of its own workload."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.checks._places import of_proxies, trust_domain_of, with_identity
from meshforensics.formats import mesh
from meshforensics.model import NotTheFormError
from meshforensics.tables import ABSENT, keys, spec_of, text, texts, where


@check(
    "certificates.empty-chain",
    phase="certificates",
    plane="state",
    severity="error",
    by=["name"],
    title="A proxy holds no certificate of its own",
    detail="secret {name} of {count:proxy|s} has no certificate chain",
    remediation="Look at the agent's log: its certificate request fails, or its token is refused.",
    source="guide, phase 3; an upstream-only TLS context rightly has none, the secret `default` must have one",
)
def empty_chain(secrets: pd.DataFrame, secret_instances: pd.DataFrame) -> pd.DataFrame:
    """The workload's own, and every other secret that is there to show a certificate."""
    shows = (secrets["name"] == "default") | (secrets["type"] == "tls_certificate")
    own = secrets[shows & (secrets["certificates"].fillna(0) == 0)]
    held = secret_instances[secret_instances["state"].isin(["active", "static"])]
    return held[held["resource"].isin(own["resource"])]


@check(
    "certificates.not-its-identity",
    phase="certificates",
    plane="state",
    severity="error",
    by=["identity", "expected"],
    observed="identity",
    title="A proxy's certificate is of another workload",
    detail="{count:proxy runs|proxies run} as {expected} and {count:~shows|show} {identity}",
    remediation="Callers accept the service accounts that istiod names for a service: restart the pod, see who signs.",
    source="guide, phase 3 (subject_alt_names); Istio's SAN is spiffe://<trust domain>/ns/<namespace>/sa/<account>",
)
def not_its_identity(certificates: pd.DataFrame, pods: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """Identities of Istio's form only: SPIRE may be told to give others. Without pods the account is not judged."""
    leaves = with_identity(of_proxies(certificates, "leaf"))
    own = leaves[~text(leaves["place"]).str.startswith("ztunnel:") & leaves["identity"].str.contains("/ns/.+/sa/")]
    accounts = (
        dict(zip(keys(pods, "namespace", "pod"), texts(pods["service_account"]), strict=True)) if len(pods) else {}
    )
    expected = []
    for namespace, pod, identity in keys(own, "namespace", "pod", "identity"):
        said = identity.rpartition("/sa/")[2]
        account = accounts.get((namespace, pod)) or said
        expected.append(f"/ns/{namespace}/sa/{account}")
    named = own.assign(expected=pd.Series(expected, index=own.index, dtype="str"))
    differs = (not identity.endswith(one) for identity, one in zip(named["identity"], expected, strict=True))
    return where(named, differs).drop_duplicates(["namespace", "pod", "identity"])


@check(
    "certificates.trust-domains-differ",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["trust_domain", "wanted"],
    observed="trust_domain",
    title="Certificates are of a trust domain that is not the mesh's",
    detail="{count:proxy is|proxies are} of trust domain {trust_domain}, and {who} {wanted}",
    remediation="Add the old one to trustDomainAliases in the mesh configuration until every pod was restarted.",
    source="guide, phase 3 (subject_alt_names); Istio trustDomain and trustDomainAliases",
)
def trust_domains_differ(
    certificates: pd.DataFrame, mesh_config: pd.DataFrame = ABSENT, config: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """Against the mesh configuration; without it, against what most proxies are of."""
    leaves = with_identity(of_proxies(certificates, "leaf"))
    named = leaves[leaves["trust_domain"] != ""].drop_duplicates(["namespace", "pod", "trust_domain"])
    wanted, aliases = _wanted(mesh_config, config)
    told = bool(wanted)
    if not told and len(named):
        counts = named["trust_domain"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
        wanted = str(counts.index[0])
    other = named[~named["trust_domain"].isin([wanted, *aliases])]
    return other.assign(wanted=wanted, who="the mesh configuration says" if told else "most proxies are of")


def _wanted(mesh_config: pd.DataFrame, config: pd.DataFrame) -> tuple[str, tuple[str, ...]]:
    """The trust domain of the mesh and its aliases; empty where it is not told or told differently."""
    said = _by_istiod(mesh_config) or _by_config_map(config)
    domains = {domain for domain, _ in said}
    aliases = tuple(sorted({each for _, many in said for each in many}))
    return (domains.pop(), aliases) if len(domains) == 1 else ("", ())


def _by_istiod(mesh_config: pd.DataFrame) -> list[tuple[str, tuple[str, ...]]]:
    if mesh_config.empty:
        return []
    pairs = zip(texts(mesh_config["trust_domain"]), mesh_config["trust_domain_aliases"], strict=True)
    return [(domain, _domains(aliases)) for domain, aliases in pairs if domain]


def _by_config_map(config: pd.DataFrame) -> list[tuple[str, tuple[str, ...]]]:
    if config.empty:
        return []
    maps = config[(config["kind"] == "ConfigMap") & text(config["name"]).str.fullmatch(r"istio(?:-.*)?")]
    said = []
    for spec in texts(maps["spec"]):
        held = spec_of(spec).get("mesh")
        try:
            read = mesh.decode(held.encode()) if isinstance(held, str) and held else None
        except NotTheFormError:
            read = None
        if read is not None and read.trust_domain:
            said.append((read.trust_domain, _domains(read.trust_domain_aliases)))
    return said


def _domains(aliases: object) -> tuple[str, ...]:
    """Aliases are trust domains, and may be written as identities."""
    said = aliases if isinstance(aliases, (tuple, list)) else ()
    return tuple(trust_domain_of(str(each)) or str(each) for each in said)
