"""Objects are put back whole, destinations before the routes that name them."""

from tests.recovery.situations import deed, lines


def test_destinations_come_before_routes() -> None:
    saved = [line.rpartition("> ")[2] for line in lines(deed("restore-objects").do) if "> " in line]

    assert saved == ["shop-cart.yaml", "shop-cart.yaml", "shop-deny-cart.yaml"]
    kinds = [line.split()[4].partition("/")[0] for line in lines(deed("restore-objects").do) if "> " in line]
    assert kinds[:2] == ["destinationrules.networking.istio.io", "virtualservices.networking.istio.io"]


def test_a_change_is_tried_before_it_is_made() -> None:
    said = lines(deed("restore-objects").do)

    assert said[-4:-1] == ["kubectl apply --dry-run=server -f FILE", "kubectl diff -f FILE", "kubectl apply -f FILE"]
