"""One rule says where a hypothesis stands."""

import pytest

from meshforensics.incidents import Test as DecisiveTest
from meshforensics.incidents import standing
from meshforensics.model import Standing


def _test(role: str, passed: bool | None, *, thin: bool = False) -> DecisiveTest:
    return DecisiveTest(name=f"{role}-{passed}", role=role, passed=passed, thin=thin, text="x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        pytest.param([("necessary", True)], Standing.SUPPORTED, id="all-seen"),
        pytest.param([("necessary", True), ("necessary", None)], Standing.POSSIBLE, id="part-not-captured"),
        pytest.param([("necessary", None)], Standing.UNDETERMINED, id="nothing-captured"),
        pytest.param([("necessary", True), ("necessary", False)], Standing.REFUTED, id="one-is-not-so"),
        pytest.param([("necessary", True), ("confirms", None)], Standing.POSSIBLE, id="not-confirmed"),
        pytest.param([("necessary", True), ("confirms", False)], Standing.POSSIBLE, id="confirmation-failed"),
        pytest.param([("necessary", True), ("refutes", True)], Standing.REFUTED, id="refuted"),
        pytest.param([("necessary", True), ("refutes", None)], Standing.SUPPORTED, id="refutation-not-captured"),
        pytest.param([], Standing.UNDETERMINED, id="no-test"),
    ],
)
def test_standing(tests: list[tuple[str, bool | None]], expected: Standing) -> None:
    assert standing(tuple(_test(role, passed) for role, passed in tests)) is expected


def test_thin_evidence_is_at_most_possible() -> None:
    assert standing((_test("necessary", True, thin=True),)) is Standing.POSSIBLE
