"""Which group of proxies verifies which other."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.tables.trust_matrix import trust_matrix
from meshforensics.testing import frame
from tests.pki import certificate
from tests.tables.test_tls_pairs import NEW, OLD, OTHER_KEY, RENEWED, of

pytestmark = pytest.mark.usefixtures("untraced")

NOT_TRUSTED = "its issuer is not trusted"
FOREIGN = certificate("elsewhere", ca=True, serial=0x9)


def matrix(*rows: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Of each block: the roots of those who judge, who judges, who is judged, and the verdict."""
    names = ("namespace", "pod", "place", "role", "serial", "pem")
    certificates = frame("certificates", **{name: [row[name] for row in rows] for name in names})
    assert trust_matrix.derives is not None
    made = trust_matrix.derives(certificates=certificates).astype("object")
    columns = ["roots", "judges", "shows", "verified", "reason"]
    return [
        tuple(None if value is None or (isinstance(value, float) and pd.isna(value)) else value for value in row)
        for row in made[columns].itertuples(index=False)
    ]


@pytest.mark.parametrize(
    ("rows", "blocks"),
    [
        pytest.param([], [], id="nobody"),
        pytest.param(
            [*of("web", OLD, OLD), *of("db", OLD, OLD)],
            [("1", ("shop/db", "shop/web"), ("shop/db", "shop/web"), True, None)],
            id="one-root-is-one-block",
        ),
        pytest.param(
            [*of("web", OLD, OLD), *of("db", NEW, NEW)],
            [
                ("2", ("shop/db",), ("shop/db",), True, None),
                ("2", ("shop/db",), ("shop/web",), False, OTHER_KEY),
                ("1", ("shop/web",), ("shop/db",), False, OTHER_KEY),
                ("1", ("shop/web",), ("shop/web",), True, None),
            ],
            id="no-overlap",
        ),
        pytest.param(
            [*of("web", OLD, OLD, NEW), *of("db", NEW, OLD, NEW)],
            [("1, 2", ("shop/db", "shop/web"), ("shop/db", "shop/web"), True, None)],
            id="an-overlap",
        ),
        pytest.param(
            [*of("web", OLD, OLD), *of("db", OLD, RENEWED)],
            [
                ("3", ("shop/db",), ("shop/db", "shop/web"), True, None),
                ("1", ("shop/web",), ("shop/db", "shop/web"), True, None),
            ],
            id="a-root-renewed-with-its-key",
        ),
        pytest.param(
            [*of("web", None, OLD), *of("db", FOREIGN, OLD)],
            [("1", ("shop/db", "shop/web"), ("shop/db",), False, NOT_TRUSTED)],
            id="a-leaf-of-nobodys-root",
        ),
    ],
)
def test_blocks(rows: list[dict[str, Any]], blocks: list[tuple[Any, ...]]) -> None:
    assert matrix(*rows) == blocks


def test_a_thousand_proxies_of_two_roots_are_four_blocks() -> None:
    leaf = {root.key_name: of("x", root, root) for root in (OLD, NEW)}
    rows = [{**row, "pod": f"{name}-{n}"} for n in range(500) for name, held in leaf.items() for row in held]

    said = matrix(*rows)

    assert [(len(judges), len(shows), verified) for _, judges, shows, verified, _ in said] == [
        (500, 500, True),
        (500, 500, False),
        (500, 500, False),
        (500, 500, True),
    ]
