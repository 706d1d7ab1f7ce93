"""Pages by port and path."""

import pytest

from meshforensics.formats.pages import PAGES, kinds_of


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.kind}")
def test_every_page_is_found_by_each_of_its_paths(page: object) -> None:
    found = next(each for each in PAGES if each is page)

    assert all(found.kind in kinds_of(found.port, path) for path in (found.path, *found.also))


@pytest.mark.parametrize(
    ("port", "path", "kinds"),
    [
        (15000, "/config_dump", ("ztunnel.config_dump",)),
        (15000, "/stats?format=prometheus", ("envoy.stats_prometheus",)),
        (15014, "/debug/endpointz", ("istiod.endpointz",)),
        (15014, "/certs", ()),
        (15000, "/reset_counters", ()),
    ],
)
def test_the_kinds_of_a_page(port: int, path: str, kinds: tuple[str, ...]) -> None:
    assert kinds_of(port, path) == kinds
