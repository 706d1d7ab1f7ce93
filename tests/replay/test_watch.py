"""Watches, while time passes and when it stands."""

import json

from meshforensics.replay import replay
from tests.replay.evidence import AT, STEP, Client, changing

SHOP = "/api/v1/namespaces/shop/pods"


def test_a_watch_tells_what_changes_and_ends() -> None:
    with replay(changing(), at=AT + 2 * STEP, begin=AT, speed=40) as served:
        client = Client(served)
        listing = client.ask(SHOP).json["metadata"]["resourceVersion"]
        whole = client.ask(f"{SHOP}?watch=true")
        since = client.ask(f"{SHOP}?watch=true&resourceVersion={listing}")

    assert [names(line) for line in whole.body.splitlines()][-3:] == [
        ("MODIFIED", "web-0", "Failed"),
        ("ADDED", "web-2", "Running"),
        ("DELETED", "web-1", "Running"),
    ]
    assert {names(line) for line in since.body.splitlines()} == {
        ("MODIFIED", "web-0", "Failed"),
        ("ADDED", "web-2", "Running"),
        ("DELETED", "web-1", "Running"),
    }


def names(line: bytes) -> tuple[str, str, str]:
    """What happened to which pod, and its phase."""
    event = json.loads(line)
    return event["type"], event["object"]["metadata"]["name"], event["object"]["status"]["phase"]


def test_a_watch_ends_when_its_own_time_is_over() -> None:
    with replay(changing(), at=AT + 2 * STEP, begin=AT, speed=0.001) as served:
        said = Client(served).ask(f"{SHOP}?watch=true&timeoutSeconds=1")

    assert [names(line)[0] for line in said.body.splitlines()] == ["ADDED", "ADDED"]
