"""What the module's scenarios declare is about incidents that there are."""

from meshforensics.incidents import declared_incidents
from meshforensics.lab import Scenario
from meshforensics.lab.scenarios import traffic


def test_each_scenario_is_of_an_incident_that_is_declared() -> None:
    declared = [each for each in vars(traffic).values() if isinstance(each, Scenario)]

    assert declared
    assert {each.incident for each in declared} <= set(declared_incidents())
