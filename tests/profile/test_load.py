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


def write(folder: Path, text: str) -> Path:
    own = folder / "own.yaml"
    own.write_text(text)
    return own


def test_a_part_of_an_entry_is_enough_and_the_rest_stays(tmp_path: Path) -> None:
    own = write(tmp_path, "name: own\nthresholds:\n  traffic.response-5xx-share: {levels: {error: 0.2}}\n")

    mine = load_profile(own).threshold("traffic.response-5xx-share")

    base = load_profile().threshold("traffic.response-5xx-share")
    assert mine.levels == {"error": 0.2}
    assert (mine.unit, mine.direction, mine.minimum) == (base.unit, base.direction, base.minimum)
    assert mine.source == f"traffic.response-5xx-share in profile {own}"


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        pytest.param("memory.least-growth: {value: 2, unit: MiB}", 2 * 2**20, id="MiB"),
        pytest.param("memory.least-growth: {value: 2, unit: MB}", 2e6, id="MB-is-not-MiB"),
        pytest.param("memory.growth-per-hour: {value: 24, unit: MiB/days}", 2**20, id="part-by-part"),
        pytest.param("window: {value: 5, unit: min}", 300.0, id="minutes"),
        pytest.param("memory.least-growth-share: {value: 5, unit: '%'}", 0.05, id="percent"),
    ],
)
def test_a_unit_of_the_same_kind_is_converted(tmp_path: Path, entry: str, value: float) -> None:
    profile = load_profile(write(tmp_path, f"name: own\nnumbers:\n  {entry}\n"))

    name = entry.partition(":")[0]
    assert profile.number(name) == pytest.approx(value)
    assert profile.numbers[name].unit == load_profile().numbers[name].unit


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("thresholds:\n  traffic.response-5xx-shar: {levels: {error: 1}}", r"mean 'traffic\.response-5xx-share'\?"),
        ("numbers:\n  windos: {value: 1}", r"no number in profile .*'windos'; did you mean 'window'\?"),
        ("threshold: {}", r"no key in profile .* 'threshold'; did you mean 'thresholds'\?"),
        ("numbers:\n  window: {valeu: 1}", r"no key of window .* 'valeu'; did you mean 'value'\?"),
        ("thresholds:\n  sync.stale-age: {levels: {warn: 1}}", r"'warn'; did you mean 'warning'\?"),
        ("muted:\n- {check: sync.stale, raeson: x, expires: 2027-01-01}", r"'raeson'; did you mean 'reason'\?"),
        ("numbers:\n  window: {value: 1, unit: sec}", r"'sec' is no unit of it.* give one of: s, ms, min, h, days"),
        ("numbers:\n  memory.least-growth: {value: 1, unit: Mib}", r"'Mib' .*did you mean 'MiB'\?"),
        ("numbers:\n  window: {value: 1, unit: bytes}", r"'bytes' is no unit of it.* It is in s"),
        ("extends: gide", r"'gide'; did you mean 'guide'\?"),
    ],
)
def test_what_is_misspelt_is_refused_with_the_nearest_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_profile(write(tmp_path, f"name: own\n{text}\n"))


def test_a_misspelt_packaged_profile_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'guide'"):
        load_profile("giude")
