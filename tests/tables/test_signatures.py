"""Signatures: known error texts of every log."""

from meshforensics.investigation import Investigation


def test_texts_of_three_logs(upgrade: Investigation) -> None:
    found = upgrade.frame("signatures").groupby(["log", "signature", "family"], observed=True).size()

    assert found.to_dict() == {
        ("access", "R13", "no-cluster"): 45,
        ("istiod", "X1", "config-rejected"): 1,
        ("proxy", "X1", "config-rejected"): 1,
    }
