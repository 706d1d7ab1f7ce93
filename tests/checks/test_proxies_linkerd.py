"""Versions of Linkerd's proxies beside their control plane's."""

import pytest

from meshforensics.checks.proxies_linkerd import linkerd_version_skew
from meshforensics.model import Severity
from meshforensics.testing import Said, frame, outcome

DESTINATION = '{"linkerd.io/control-plane-component": "destination"}'


def _said(tags: tuple[str, ...], leading: tuple[str, ...], container: str = "linkerd-proxy") -> Said:
    names = [f"web-{number}" for number in range(len(tags))] + [f"linkerd-{number}" for number in range(len(leading))]
    spaces = ["shop"] * len(tags) + ["linkerd"] * len(leading)
    images = [f"cr.l5d.io/linkerd/proxy{tag}" for tag in (*tags, *leading)]
    labels = ["{}"] * len(tags) + [DESTINATION] * len(leading)
    return outcome(
        linkerd_version_skew,
        containers=frame("containers", namespace=spaces, pod=names, container=[container] * len(names), image=images),
        pods=frame("pods", namespace=spaces, pod=names, labels=labels),
    )


@pytest.mark.parametrize(
    ("proxy", "leading", "found"),
    [
        pytest.param(":stable-2.14.1", (":stable-2.14.10",), [], id="patches-are-no-skew"),
        pytest.param(":stable-2.13.7", (":stable-2.14.10",), [Severity.INFO], id="one-behind-is-supported"),
        pytest.param(":stable-2.12.0", (":stable-2.14.10",), [Severity.WARNING], id="two-behind"),
        pytest.param(":stable-2.14.0", (":stable-2.13.7",), [Severity.WARNING], id="a-newer-proxy"),
        pytest.param(":enterprise-2.16.2@sha256:1f", (":enterprise-2.17.0",), [Severity.INFO], id="with-a-digest"),
        pytest.param(":edge-24.5.1", (":edge-24.11.8",), [Severity.INFO], id="edge-releases-have-no-distance"),
        pytest.param(":edge-24.11.8", (":edge-24.11.8",), [], id="the-same-edge"),
        pytest.param(":stable-2.14.1", (":edge-24.11.8",), [], id="another-channel"),
        pytest.param(":stable-2.12.0", (":stable-2.14.10", ":stable-2.13.0"), [], id="the-control-plane-rolls-out"),
        pytest.param(":stable-2.12.0", (), [], id="no-control-plane"),
        pytest.param(":git-a94122bf", (":stable-2.14.10",), [], id="no-release"),
    ],
)
def test_linkerd_version_skew(proxy: str, leading: tuple[str, ...], found: list[Severity]) -> None:
    assert [each.severity for each in _said((proxy,), leading).findings] == found


def test_an_upgrade_that_is_not_done_is_one_finding() -> None:
    (finding,) = _said((":stable-2.13.7",) * 40, (":stable-2.14.10",)).findings

    assert finding.evidence_total == 40


def test_proxies_of_istio_are_not_meant() -> None:
    assert _said((":stable-2.12.0",), (":stable-2.14.10",), container="istio-proxy").findings == ()


def test_without_pods_it_is_not_evaluated() -> None:
    containers = frame("containers", container=["linkerd-proxy"])

    assert outcome(linkerd_version_skew, containers=containers).not_evaluated == "not captured: pods"
