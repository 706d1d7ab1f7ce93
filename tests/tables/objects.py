"""Tables made of Kubernetes objects as YAML."""

import pandas as pd

from meshforensics.testing import tables_of


def made_of(table: str, payload: str) -> pd.DataFrame:
    """The table `table` of the objects."""
    return tables_of(("foreign.k8s-resources", "-", payload.encode())).frame(table)
