"""Errors form one tree, and say what is known."""

import pickle

import pytest

from meshforensics.model import (
    BundleError,
    DeclarationError,
    MeshForensicsError,
    NotTheFormError,
    SourceError,
    TruncatedError,
    UnknownNameError,
    UsageError,
)


@pytest.mark.parametrize(
    ("error", "base"),
    [
        (UsageError, MeshForensicsError),
        (UnknownNameError, UsageError),
        (SourceError, MeshForensicsError),
        (BundleError, MeshForensicsError),
        (DeclarationError, MeshForensicsError),
        (NotTheFormError, MeshForensicsError),
        (TruncatedError, NotTheFormError),
    ],
)
def test_the_tree(error: type[Exception], base: type[Exception]) -> None:
    assert error.__bases__ == (base,)


def test_an_unknown_name_lists_the_known_ones_sorted() -> None:
    assert str(UnknownNameError("table", "nope", ["pods", "calls"])) == "no table 'nope'; there are: calls, pods"


def test_a_plain_error_survives_a_process_boundary() -> None:
    assert str(pickle.loads(pickle.dumps(SourceError("x.zip is empty")))) == "x.zip is empty"
