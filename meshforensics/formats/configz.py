"""istiod's ``/debug/configz``: the Istio objects that istiod holds, as an array of Kubernetes objects.

Source: Istio pilot/pkg/xds/debug.go (configz).
"""

from meshforensics.formats.kubernetes import KubernetesObject
from meshforensics.formats.kubernetes import decode as decode_objects
from meshforensics.model import NotTheFormError


def decode(payload: bytes) -> tuple[KubernetesObject, ...]:
    """Every object, in the order of the document.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it is no array of objects.
    """
    if payload.lstrip()[:1] not in {b"[", b"n"}:
        raise NotTheFormError("not istiod's configz: it is no array of objects")
    return () if payload.strip() in {b"null", b"[]"} else decode_objects(payload)
