"""Kill a capture at random points: what it leaves opens, verifies, and lists what the plan still had.

    python benchmarks/kill.py --times 20 --seed 1

Each time a capture of a replayed mesh is started in a process of its own and killed (SIGKILL) when its journal has
grown to a random part of what a whole one's comes to. Printed is, for each, what the bundle holds and what it lists.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from capture import write

from meshforensics.bundle import open_bundle, verify
from meshforensics.replay import replay

COMMAND = [sys.executable, "-m", "meshforensics", "capture", "--budget", "60s", "-o"]
_LOOK = 0.002
"""Seconds from one look at the journal to the next."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--pods", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chosen = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        write(f"{folder}/source", given.pods, 2, 50)
        with replay(open_bundle(f"{folder}/source")) as served:
            os.environ["KUBECONFIG"] = str(served.kubeconfig)
            whole = once(f"{folder}/whole", None)
            print(f"the journal of a whole capture comes to {whole} bytes")
            for number in range(given.times):
                into = f"{folder}/{number}"
                once(into, chosen.randrange(whole))
                report(number, Path(into))


def once(into: str, kill_at: int | None) -> int:
    """Capture, and kill it when its journal has so many bytes; None lets it end. Returns how many it had."""
    journal, size = Path(into) / "journal.jsonl", 0
    with subprocess.Popen([*COMMAND, into], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None:
            size = max(size, journal.stat().st_size if journal.exists() else 0)
            if kill_at is not None and size > kill_at:
                running.send_signal(signal.SIGKILL)
                running.wait()
            time.sleep(_LOOK)
    return size


def report(number: int, into: Path) -> None:
    """Say what is left; anything that should not be is an error."""
    if not (into / "journal.jsonl").exists() and not (into / "manifest.json").exists():
        print(f"{number}: killed before the first word was written")
        return
    bundle = open_bundle(str(into))
    sealed = (into / "manifest.json").exists()
    damage = [each for each in verify(str(into)) if each.member != "tagmanifest-sha256.txt"]
    lost = planned(into) - {(item.kind, item.subject) for item in bundle.items}
    became = Counter(f"{item.status}{f': {item.cause}' if item.cause else ''}" for item in bundle.items)
    state = "sealed" if sealed else "not sealed"
    print(f"{number}: {state}, {len(damage)} damaged, {len(lost)} lost; {dict(sorted(became.items()))}")
    if damage or lost:
        sys.exit(f"{into}: {damage} {lost}")


def planned(into: Path) -> set[tuple[str, str]]:
    """What the journal says would be asked for; nothing where the bundle was sealed."""
    journal = into / "journal.jsonl"
    found = set()
    for line in journal.read_bytes().splitlines() if journal.exists() else ():
        try:
            note = json.loads(line)
        except ValueError:
            continue  # cut by the kill
        if "planned" in note:
            found.add((note["planned"]["kind"], note["planned"]["subject"]))
    return found


if __name__ == "__main__":
    main()
