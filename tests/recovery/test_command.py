"""Commands and files as a shell takes them."""

import subprocess

import pytest
import yaml

from meshforensics.model import DeclarationError
from meshforensics.recovery import Command, Manifest, is_name, kubectl, stands_in, version_of


def test_a_command_is_quoted_where_a_shell_needs_it() -> None:
    command = kubectl("get", "x y", namespace="shop", pipes=(("grep", "a'b"),), into="a file")

    assert command.shell == "kubectl -n shop get 'x y' | grep 'a'\"'\"'b' > 'a file'"


@pytest.mark.parametrize(
    ("text", "name"),
    [("web", True), ("a.b-c", True), ("9", True), ("a" * 253, True), ("a" * 254, False), ("Web", False), ("-a", False),
     ("a-", False), ("a_b", False), ("a\n", False), ("", False), ("NAMESPACE", False)],
)  # fmt: skip
def test_is_name(text: str, name: bool) -> None:
    assert is_name(text) is name


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.31.0", (1, 31)),
        ("v1.9", (1, 9)),
        ("1.22-alpha.abc", (1, 22)),
        ("latest", None),
        ("1.2;id", None),
        ("", None),
    ],
)
def test_version_of(text: str, version: tuple[int, int] | None) -> None:
    assert version_of(text) == version


def test_placeholders_are_found_as_words() -> None:
    assert stands_in("kubectl -n NAMESPACE get deploy/WORKLOAD --replicas=REPLICAS PODS MY-POD") == (
        "NAMESPACE",
        "WORKLOAD",
        "REPLICAS",
    )


def test_a_file_written_by_a_shell_is_the_manifest() -> None:
    manifest = Manifest(file="a b.yaml", documents=({"a": "$(id) `id`"}, {"b": [1]}))

    written = subprocess.run(
        ["bash", "-c", manifest.shell.replace("> 'a b.yaml'", "")], capture_output=True, check=True
    )

    assert list(yaml.safe_load_all(written.stdout)) == [{"a": "$(id) `id`"}, {"b": [1]}]


def test_a_line_that_would_end_the_file_is_refused() -> None:
    class Odd(Manifest):
        @property
        def yaml(self) -> str:
            return "a\nEOF\nb\n"

    with pytest.raises(DeclarationError):
        _ = Odd(file="x", documents=()).shell


def test_commands_are_data() -> None:
    assert Command(words=("a",)) == Command(words=("a",))
