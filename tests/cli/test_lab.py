"""``meshforensics lab``: the list, and errors in one line."""

import pytest

from meshforensics.cli import main
from meshforensics.lab import declared_scenarios


def test_every_scenario_is_listed_with_its_mechanism(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(declared_scenarios())
    assert all(each.mechanism in line for line, each in zip(lines, declared_scenarios().values(), strict=True))


def test_an_incident_that_is_not_there_is_named_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "run", "rain", "-o", "nowhere"]) == 2

    assert "no incident of the lab 'rain'; there are: ca-rotation" in capsys.readouterr().err
