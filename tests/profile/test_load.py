"""Profiles: packaged by name, a user's own by path, unknown names refused."""

from pathlib import Path

import pytest

from meshforensics.model import Severity, UnknownNameError, UsageError
from meshforensics.profile import load_profile


@pytest.mark.parametrize(
    ("value", "level"),
    [
        pytest.param(0.45, None, id="at-the-limit-is-clear"),
        pytest.param(0.44, (Severity.WARNING, 0.45), id="below-warning"),
        pytest.param(0.1, (Severity.ERROR, 0.2), id="below-error"),
        pytest.param(-0.1, (Severity.CRITICAL, 0.0), id="ended"),
    ],
)
def test_the_worst_level_counts(value: float, level: tuple[Severity, float] | None) -> None:
    assert load_profile().threshold("certificates.leaf-life-left").level(value) == level


def test_a_user_profile_changes_what_it_names(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "name: own\nextends: default\nnumbers:\n  window: {value: 60, unit: s, source: us}\n"
        "muted:\n- {check: proxies.restarted, reason: nightly, expires: 2027-01-01}\n"
    )

    profile = load_profile(own)

    assert (profile.number("window"), profile.number("incident-calls")) == (60, 10)
    assert [each.reason for each in profile.muted] == ["nightly"]
    assert profile.sha256 != load_profile().sha256


def test_an_entry_that_nothing_reads_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("name: own\nextends: default\nnumbers:\n  windows: {value: 60, unit: s, source: us}\n")

    with pytest.raises(UnknownNameError, match="windows"):
        load_profile(own)


@pytest.mark.parametrize("text", ["name: [", "name: own\nnumber: 3\n", "- a\n"])
def test_what_is_no_profile_is_refused(tmp_path: Path, text: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(text)

    with pytest.raises(UsageError, match=r"own\.yaml"):
        load_profile(own)


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(UsageError, match="no profile"):
        load_profile("nothing")
    with pytest.raises(UnknownNameError, match=r"traffic\.response-5xx-share"):
        load_profile().threshold("traffic.nothing")
