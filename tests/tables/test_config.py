"""Config: objects of the mesh, who changed them last, Secrets by name only."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_who_changed_what(upgrade: Investigation) -> None:
    config = upgrade.frame("config")

    assert cells(config[config["changed_by"].notna()], "object", "changed_by", "changed_at") == [
        ("DestinationRule:travel/search", "kubectl-edit", "2026-11-23T18:49:58+00:00"),
        ("EnvoyFilter:ops/ratelimit-seats", "kubectl-edit", "2026-11-23T18:49:58+00:00"),
    ]


def test_an_object_of_two_sources_is_one_row(upgrade: Investigation) -> None:
    assert upgrade.frame("config")["object"].is_unique
    assert (len(upgrade.frame("custom_resources")), len(upgrade.frame("config_maps"))) == (13, 3)
