"""Trust: which proxy holds which root."""

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import keys, text


def _trust(certificates: pd.DataFrame) -> pd.DataFrame:
    """Roots of proxies; a summary of /certs counts only for a proxy whose roots are not known in full."""
    roots = certificates[(text(certificates["role"]) == "root") & (text(certificates["pod"]) != "")]
    roots = roots[~text(roots["place"]).str.startswith(("configmap:", "webhook:"))]
    whole = roots[roots["fingerprint"].notna()]
    known = set(keys(whole, "namespace", "pod"))
    rest = roots[roots["fingerprint"].isna()]
    summaries = rest[[key not in known for key in keys(rest, "namespace", "pod")]]
    both = pd.concat([whole, summaries])
    return both.drop_duplicates(["namespace", "pod", "captured_at", "fingerprint", "serial"])


trust = Table(
    id="trust",
    about="Which proxy trusts which root; by key where the certificates were captured, else by serial.",
    of="pod",
    columns=(
        Column("fingerprint", "str", about="SHA-256 of the root's DER, hex; missing for a summary.", source="PEM"),
        Column("spki", "str", about="SHA-256 of the root's key, hex; missing for a summary.", source="PEM"),
        Column("serial", "str", about="Serial of the root.", source="certificates"),
        Column("not_before", "datetime64[us, UTC]", about="Start of the root's validity.", source="certificates"),
        Column("not_after", "datetime64[us, UTC]", about="End of the root's validity.", source="certificates"),
        Column("place", "category", about="What holds it.", source="certificates"),
    ),
    derives=_trust,
)
