"""Seeds make different meshes; the same seed makes the same one."""

import pytest

from meshforensics.lab._plan import LEAST_PROXIES, plan_of
from meshforensics.model import UsageError


def test_the_same_seed_makes_the_same_mesh_and_another_one_another() -> None:
    assert plan_of(4) == plan_of(4)
    hosts = {tuple(service.host for service in plan_of(seed).services.values()) for seed in range(6)}
    assert len(hosts) == 6


@pytest.mark.parametrize("proxies", [LEAST_PROXIES, 11, 24])
def test_as_many_proxies_as_are_asked_for_each_with_its_own_name(proxies: int) -> None:
    places = plan_of(1, proxies).places

    assert len({place.name for place in places}) == len({place.number for place in places}) == proxies


@pytest.mark.parametrize("proxies", [LEAST_PROXIES - 1, 25])
def test_a_size_that_cannot_be_is_refused(proxies: int) -> None:
    with pytest.raises(UsageError, match="the lab runs 8 to 24"):
        plan_of(1, proxies)


@pytest.mark.parametrize("seed", range(8))
def test_services_do_not_share_ports_and_some_are_called(seed: int) -> None:
    services = plan_of(seed).services

    assert len({service.port for service in services.values()}) == len(services)
    assert {role for service in services.values() for role in service.calls} == {"split", "side", "store", "rpc"}
