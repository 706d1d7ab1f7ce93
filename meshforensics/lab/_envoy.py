"""One Envoy process: started with a bootstrap, watched until it is ready, ended."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from meshforensics.lab._world import Body, Pod
from meshforensics.model import now

_LINE = "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t"
_PATIENCE = 5.0


def guarded(command: Sequence[str]) -> list[str]:
    """A command whose process the kernel ends when we are killed, where the system has a program that asks for it."""
    program = shutil.which("setpriv")
    return [program, "--pdeathsig", "KILL", "--", *command] if program else list(command)


@dataclass(kw_only=True)
class Envoy:
    """The proxy of a pod.

    Attributes:
        folder: where its bootstrap and its logs are; a restart begins a new log and keeps the last one.
    """

    program: Path
    pod: Pod
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    _log: IO[bytes] | None = field(default=None)

    @property
    def log(self) -> Path:
        """What it has printed since it was started."""
        return self.folder / f"log.{self.pod.restarts}"

    @property
    def previous(self) -> Path:
        """What it had printed before the last restart."""
        return self.folder / f"log.{self.pod.restarts - 1}"

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def start(self, bootstrap: Body) -> None:
        """Start it; its log is what a container's would be."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "envoy.json"
        file.write_text(json.dumps(bootstrap), encoding="utf-8")
        command = [
            str(self.program), "-c", str(file), "--concurrency", "1", "--disable-hot-restart", "-l", "warning",
            "--component-log-level", "misc:error,config:info", "--file-flush-interval-msec", "200",
            "--log-format", _LINE,
        ]  # fmt: skip
        self._log = self.log.open("ab")
        self.process = subprocess.Popen(  # noqa: S603 - the program of the extra, and our own file
            guarded(command),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pod.started = now()

    def end(self) -> None:
        """End it, by force where it does not listen."""
        if self.process is not None:
            if self.running:
                self.process.terminate()
            try:
                self.process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None

    def resident(self) -> int:
        """Bytes of memory that the kernel counts for it; 0 when it is gone."""
        return 1024 * self._status("VmRSS")

    def seconds(self) -> float:
        """Seconds of processor time that it has used."""
        if not self.running or self.process is None:
            return 0.0
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def _status(self, name: str) -> int:
        if not self.running or self.process is None:
            return 0
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = [line.split()[1] for line in text.splitlines() if line.startswith(name)]
        return int(found[0]) if found else 0
