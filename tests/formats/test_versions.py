"""Versions as reports and kubectl list them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.versions import Version, decode, decode_istiod, decode_kubernetes
from meshforensics.model import NotTheFormError

DATA = Path(__file__).parent.parent / "data" / "kubernetes"

REVISIONS = b"""CLI version:
version.BuildInfo{Version:"unknown", GitRevision:"unknown"}

Revision canary:
&version.MeshInfo{
    {
        Component: "pilot",
        Info:      version.BuildInfo{Version:"1.17.2", GitRevision:"3e85"},
    },
}
Revision canary: Versions {1.17.2, 1.16.0}
"""


def test_report() -> None:
    assert decode((DATA / "versions").read_bytes()) == (
        Version("istioctl", "1.31.0", "", "L2"),
        Version("pilot", "1.31.0", "default", "L10"),
        Version("proxy", "1.29.2", "default", "L15"),
    )


def test_a_git_revision_is_no_revision() -> None:
    assert decode(REVISIONS) == (
        Version("istioctl", "unknown", "", "L2"),
        Version("pilot", "1.17.2", "canary", "L8"),
        Version("proxy", "1.17.2", "canary", "L11"),
        Version("proxy", "1.16.0", "canary", "L11"),
    )


@pytest.mark.parametrize(
    ("line", "version"),
    [
        (b"Server Version: v1.34.2", Version("kubernetes", "v1.34.2", "", "L1")),
        (
            b'Client Version: version.Info{Major:"1", GitVersion:"v1.27.3", GitCommit:"25b4"}',
            Version("kubectl", "v1.27.3", "", "L1"),
        ),
    ],
)
def test_kubectl(line: bytes, version: Version) -> None:
    assert decode(line) == (version,)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        (b"1.31.0-3e85a4f1d2c6b7a83e85a4f1d2c6b7a83e85a4f1-Clean", "1.31.0"),
        (b"1.28.0-alpha.1-0a1b2c3d4e5f-Modified\n", "1.28.0-alpha.1"),
        (b"1.30.1-distroless-3e85a4f-dirty-Modified", "1.30.1-distroless"),
        (b"unknown-unknown-unknown", "unknown"),
    ],
)
def test_istiod_says_its_own(said: bytes, version: str) -> None:
    assert decode_istiod(said) == Version("pilot", version, "", "L1")


def test_kubernetes_says_its_own() -> None:
    said = b'{"major": "1", "minor": "34", "gitVersion": "v1.34.2", "platform": "linux/amd64"}'

    assert decode_kubernetes(said) == Version("kubernetes", "v1.34.2", "", "/gitVersion")


@pytest.mark.parametrize("payload", [b"", b"404 page not found", b'{"major": "1"}', b"\xff"])
def test_what_is_no_version_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode_istiod(payload)
    with pytest.raises(NotTheFormError):
        decode_kubernetes(payload)


@given(st.binary(max_size=200))
def test_any_bytes_are_versions_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert made


def test_what_says_no_version_is_refused() -> None:
    with pytest.raises(NotTheFormError):
        decode(b"error: no cluster")
