"""The version is said once."""

import re

from meshforensics.model.version import __version__


def test_the_version_is_one_that_installers_can_order() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.?(a|b|rc|dev)\d+)?", __version__)
