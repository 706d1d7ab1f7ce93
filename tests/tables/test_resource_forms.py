"""Resource forms: each distinct resource once, and what proxies refused."""

import json

from meshforensics.investigation import Investigation
from meshforensics.tables import text
from meshforensics.tables.resource_forms import REFUSED
from tests.tables.reading import cells


def test_each_distinct_resource_has_its_form_once(upgrade: Investigation) -> None:
    forms = upgrade.frame("resource_forms")
    known = forms[forms["resource"].notna()]

    for kind, table in (("cluster", "clusters"), ("listener", "listeners"), ("route", "routes")):
        own = known[text(known["kind"]) == kind]
        assert sorted(text(own["resource"])) == sorted(set(text(upgrade.frame(table)["resource"])))


def test_a_form_tells_paths_and_values(upgrade: Investigation) -> None:
    name = "outbound|8080|v1|search.travel.svc.cluster.local"

    ((said,),) = cells(upgrade.frame("resource_forms"), "form", name=name)

    form = json.loads(str(said))
    assert (form["type"], form["connect_timeout"], form["lb_policy"]) == ("EDS", "10s", "LEAST_REQUEST")
    assert form["circuit_breakers.thresholds[0].max_connections"] == "4294967295"


def test_what_a_proxy_refused_stands_beside_what_it_keeps(upgrade: Investigation) -> None:
    forms = upgrade.frame("resource_forms")

    refused = forms[forms["resource"].isna()]
    assert [(row["name"], str(row["pointer"]).endswith(REFUSED)) for _, row in refused.iterrows()] == [
        ("virtualInbound", True)
    ]
