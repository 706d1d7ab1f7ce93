"""Linkerd's own commands."""

from tests.guide.settings import commands


def test_the_same_questions_are_asked() -> None:
    said = commands("linkerd")

    assert [line.split()[1] for line in said] == ["check", "diagnostics", "diagnostics", "diagnostics", "identity"]
    assert "linkerd diagnostics endpoints cart.shop.svc.cluster.local:8080" in said
