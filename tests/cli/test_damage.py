"""Whatever bytes of a report, an archive or a bundle are damaged, a command ends in an exit code and one line."""

import random
import shutil
from pathlib import Path

import pytest

from meshforensics.cli import main
from tests.importers.reports import report, tar, write, zipped

pytestmark = pytest.mark.usefixtures("untraced")

ROOT = Path(__file__).resolve().parents[2]


def _damaged(payload: bytes, chance: random.Random) -> bytes:
    """The payload cut, with a byte changed, a piece gone, a piece twice, or in another encoding."""
    at = chance.randrange(len(payload) + 1)
    piece = payload[at : at + chance.randrange(1, 400)]
    return chance.choice(
        [
            payload[:at],
            payload[:at] + bytes([chance.randrange(256)]) + payload[at + 1 :],
            payload[:at] + payload[at + len(piece) :],
            payload[:at] + piece + payload[at:],
            payload.decode("latin-1").encode("utf-16"),
        ]
    )


def _report(chance: random.Random) -> dict[str, bytes]:
    """The members of a report, five of them damaged and two exchanged."""
    members = report(chance.choice(["1.10", "1.24", "1.31"]))
    for name in chance.sample(sorted(members), 5):
        members[name] = _damaged(members[name], chance)
    one, other = chance.sample(sorted(members), 2)
    members[one], members[other] = members[other], members[one]
    return members


def _source(folder: Path, chance: random.Random) -> Path:
    form = chance.choice(["folder", "tar", "zip", "bundle"])
    if form == "folder":
        return write(folder / "report", _report(chance))
    if form == "bundle":
        source = shutil.copytree(ROOT / "captures" / "healthy", folder / "bundle")
        for file in chance.sample(sorted(path for path in source.rglob("*") if path.is_file()), 5):
            file.write_bytes(_damaged(file.read_bytes(), chance))
        return source
    made = tar(folder / "x.tar.gz", _report(chance)) if form == "tar" else zipped(folder / "x.zip", _report(chance))
    if chance.random() < 0.5:
        made.write_bytes(_damaged(made.read_bytes(), chance))
    return made


@pytest.mark.parametrize("seed", range(12))
def test_damage_ends_in_an_exit_code(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(seed)
    source = _source(tmp_path, chance)
    command = chance.choice([["triage"], ["triage", "--format", "json"], ["tables"], ["verify"]])

    code = main([command[0], str(source), *command[1:]])

    said = capsys.readouterr().err
    assert code in {0, 1, 2}
    assert said.count("\n") == (code == 2)


def test_a_damaged_member_costs_itself_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = shutil.copytree(ROOT / "captures" / "healthy", tmp_path / "bundle")
    dump, gone = sorted(source.glob("data/proxies/*/*/*/config_dump.json.zst"))[:2]
    dump.write_bytes(dump.read_bytes()[:-9])
    gone.unlink()

    assert main(["triage", str(source)]) == 0

    said = capsys.readouterr().out
    assert "undetermined" in said.splitlines()[0]
    assert "6 of 8 proxies decoded, 8 captured" in said
