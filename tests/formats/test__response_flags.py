"""Response flags are a sorted set of short names; unknown ones are kept."""

import pytest

from meshforensics.formats._response_flags import flags_of


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("-", ()),
        ("", ()),
        ("URX,UF", ("UF", "URX")),
        ("UF,URX,UF", ("UF", "URX")),
        ("NoHealthyUpstream,DownstreamConnectionTermination", ("DC", "UH")),
        ("UF,acme_flag", ("UF", "acme_flag")),
    ],
)
def test_flags(text: str, flags: tuple[str, ...]) -> None:
    assert flags_of(text) == flags
