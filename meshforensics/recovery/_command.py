"""Commands and manifests as plain data: written for a shell, never run."""

import re
import shlex
from dataclasses import dataclass
from typing import Any

import yaml

from meshforensics.model import DeclarationError

NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
"""What Kubernetes lets an object be called (RFC 1123 subdomain)."""
LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
LABEL_KEY = re.compile(r"(?:[a-z0-9][-a-z0-9.]{0,252}/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+.][A-Za-z0-9.+-]{1,60})?")

PLACEHOLDERS = {
    "APP": "the name that your GitOps tool gives it",
    "CALLER": "a workload that calls it",
    "FILE": "a file that you wrote and reviewed",
    "GATEWAY": "the gateway's Deployment",
    "HOST": "the host that a route names",
    "KIND": "the kind of the object that sets it",
    "NAMESPACE": "its namespace",
    "NODE": "the node's name",
    "OBJECT": "that object's name",
    "POD": "its pod",
    "POLICY": "the AuthorizationPolicy's name",
    "PORT": "the Service's port",
    "REPLICAS": "how many replicas shall run",
    "REVISION": "the revision that worked before (istioctl tag list)",
    "SECRET": "the Secret's name",
    "SERVICE": "the Service's name",
    "TAG": "the revision tag that namespaces use (istioctl tag list)",
    "VERSION": "the version of Istio that ran before",
    "WORKLOAD": "the Deployment's name",
}
"""Words that stand for a name that is not known. No object of Kubernetes can be called so, so that a command pasted
with one of them reaches nothing."""

_STAND_IN = re.compile(rf"(?<![A-Za-z0-9_-])({'|'.join(PLACEHOLDERS)})(?![A-Za-z0-9_-])")


@dataclass(frozen=True, kw_only=True)
class Command:
    """One line for a shell.

    Attributes:
        words: the program and its arguments, unquoted.
        pipes: programs that its output goes through.
        into: the file that the output is written to; empty for the terminal.
        about: what it is for, in a few words.
        saves: the objects that `into` then holds, as ``Kind:namespace/name`` or ``Kind:*``.
        changes: the existing objects that it overwrites or deletes; a plan saves them before.
        creates: the objects that it makes.
    """

    words: tuple[str, ...]
    pipes: tuple[tuple[str, ...], ...] = ()
    into: str = ""
    about: str = ""
    saves: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    creates: tuple[str, ...] = ()

    @property
    def shell(self) -> str:
        """The line, every word quoted where a shell needs it."""
        line = " | ".join(shlex.join(words) for words in (self.words, *self.pipes))
        return f"{line} > {shlex.quote(self.into)}" if self.into else line


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Objects to be written into a file, and applied by the commands after it.

    `partial` says that it is no whole object: a part to be merged into one.
    """

    file: str
    documents: tuple[dict[str, Any], ...]
    about: str = ""
    partial: bool = False

    @property
    def yaml(self) -> str:
        """The text of the file."""
        return "---\n".join(
            yaml.safe_dump(each, sort_keys=False, default_flow_style=False, width=1000) for each in self.documents
        )

    @property
    def shell(self) -> str:
        """The file as a shell writes it. A line that would end it early is refused.

        Raises:
            DeclarationError: there is such a line.
        """
        if "EOF" in self.yaml.splitlines():
            raise DeclarationError(f"{self.file} has a line that ends it early")
        return f"cat > {shlex.quote(self.file)} <<'EOF'\n{self.yaml}EOF"


def kubectl(
    *words: str,
    namespace: str = "",
    pipes: tuple[tuple[str, ...], ...] = (),
    into: str = "",
    about: str = "",
    saves: tuple[str, ...] = (),
    changes: tuple[str, ...] = (),
    creates: tuple[str, ...] = (),
) -> Command:
    """A call of kubectl, in a namespace where one is given."""
    where = ("-n", namespace) if namespace else ()
    return Command(
        words=("kubectl", *where, *words),
        pipes=pipes,
        into=into,
        about=about,
        saves=saves,
        changes=changes,
        creates=creates,
    )


def stands_in(text: str) -> tuple[str, ...]:
    """The placeholders that a text has, in the order of their first use."""
    return tuple(dict.fromkeys(_STAND_IN.findall(text)))


def is_name(text: str) -> bool:
    """Whether Kubernetes lets an object be called so; anything else never enters a command."""
    return bool(NAME.fullmatch(text))


def version_of(text: str) -> tuple[int, int] | None:
    """Major and minor of a version; None where it is none."""
    found = VERSION.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None
