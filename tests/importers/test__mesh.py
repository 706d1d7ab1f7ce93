import pytest

from meshforensics.importers._mesh import Mesh, mesh_of, same_mesh, uids_of
from meshforensics.model import SourceError

A, B = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def _mesh(report: str, name: str = "", server: str = "", uid: str = "") -> Mesh:
    known = frozenset([uid.encode()] if uid else [])
    return Mesh(report=report, name=name, server=server, uids=lambda: known)


@pytest.mark.parametrize(
    ("context", "name", "server"),
    [
        pytest.param(b"* lab https://10.0.0.1:6443\n", "lab", "https://10.0.0.1:6443", id="one-line"),
        pytest.param(b"gke_a_b\nhttps://34.1.2.3/\n", "gke_a_b", "https://34.1.2.3", id="two-lines"),
        pytest.param(b"lab\n", "lab", "", id="name-only"),
        pytest.param(b"", "", "", id="nothing"),
        pytest.param(b"\xff\xfe", "\ufffd\ufffd", "", id="any-bytes"),
    ],
)
def test_mesh_of(context: bytes, name: str, server: str) -> None:
    said = mesh_of("r", context)

    assert (said.report, said.name, said.server) == ("r", name, server)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(_mesh("a", "lab", "s1"), _mesh("b", "admin@lab", "s1"), id="one-server-two-names"),
        pytest.param(_mesh("a", "lab", "s1", A), _mesh("b", "lab", "s2", A), id="two-addresses-of-one-server"),
        pytest.param(_mesh("a", "lab"), _mesh("b", "lab", "s2"), id="one-name-one-server-unknown"),
        pytest.param(_mesh("a", "lab", "", A), _mesh("b", "renamed", "", A), id="renamed-with-the-same-objects"),
        pytest.param(_mesh("a", "lab", "s1"), _mesh("b"), id="one-says-nothing"),
    ],
)
def test_same_mesh(one: Mesh, other: Mesh) -> None:
    assert same_mesh([one, other, one]) == "lab"


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        pytest.param(_mesh("a", "lab", "s1", A), _mesh("b", "lab", "s2", B), "a (lab at s1) and b (lab at s2)", id="s"),
        pytest.param(_mesh("a", "lab"), _mesh("b", "prod"), "a (lab) and b (prod)", id="names"),
        pytest.param(_mesh("a", "", "s1"), _mesh("b", "", "s2"), "a (s1) and b (s2)", id="servers"),
    ],
)
def test_different_meshes_are_an_error_that_names_both(one: Mesh, other: Mesh, words: str) -> None:
    with pytest.raises(SourceError) as caught:
        same_mesh([one, _mesh("c"), other])

    assert str(caught.value) == f"reports of different meshes cannot be one bundle: {words}; import each alone"


def test_no_mesh_is_named() -> None:
    assert same_mesh([]) == ""
    assert same_mesh([_mesh("a")]) == ""


def test_uids_of() -> None:
    yaml = f"  metadata:\n    uid: {A}\n    name: x\n".encode()
    json = f'{{\n  "uid": "{B}"\n}}'.encode()

    assert uids_of([yaml, json, b"uid: none"]) == {A.encode(), B.encode()}
