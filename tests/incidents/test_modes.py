"""What both sides are configured to speak, where the configuration is not there."""

from meshforensics.model import Standing
from tests.incidents.cases import calls, judged


def test_a_reset_without_any_configuration_is_no_mode_conflict() -> None:
    assert judged("mtls-mode-conflict", calls=calls(20, "upstream-reset")).status is Standing.REFUTED
