"""Listeners and their filter chains; a rejected update stands beside what is still served."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_listeners(upgrade: Investigation) -> None:
    assert ("0.0.0.0_8080", "0.0.0.0:8080", "OUTBOUND") in cells(
        upgrade.frame("listeners"), "name", "address", "direction"
    )


def test_a_rejected_update_stands_beside_the_active_listener(upgrade: Investigation) -> None:
    pod = "seats-v1-p7n8cbmrb-tp4xn"

    assert cells(upgrade.frame("listener_instances"), "name", "state", "error", pod=pod)[2:] == [
        ("virtualOutbound", "active", None),
        ("virtualInbound", "active", "local rate limit token bucket fill timer must be >= 50ms"),
    ]


def test_filter_chains_name_their_routes(upgrade: Investigation) -> None:
    chains = cells(upgrade.frame("filter_chains"), "filters", "rds", "tls_mode", listener="0.0.0.0_8080")

    assert (("envoy.filters.network.http_connection_manager",), "http.8080", "none") in chains


def test_a_listener_without_its_addresses(upgrade: Investigation) -> None:
    outlines = cells(upgrade.frame("listeners"), "outline", "ips", name="0.0.0.0_8080")

    assert {str(ips)[:11] for _, ips in outlines} == {"('0.0.0.0',"}
    assert {len(str(outline)) for outline, _ in outlines} == {16}
