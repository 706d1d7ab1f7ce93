"""Reports and archives for tests: small, in the layouts of several ages.

The archives of 1.10, 1.24 and 1.31 are built from the description of the layout (istio/istio
tools/bug-report at those releases); nobody could be asked for real ones. The bytes of their members are the
samples of tests/data.
"""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from meshforensics.importers import import_evidence
from meshforensics.model import Item

DATA = Path(__file__).resolve().parent.parent / "data"
PROXY = "proxies/shop/web-1"
ISTIOD = "istio/istio-system/istiod-7"
AT = 1_795_459_692  # 2026-11-23T18:48:12Z
TABLE = b"NAMESPACE   NAME   TYPE     DATA   AGE\nshop        a      Opaque   1      2d\n"
LIST = b'apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: web-1\n    namespace: shop\nkind: List\nmetadata:\n  resourceVersion: ""\n'  # noqa: E501
CONTEXT = b"* lab https://10.0.0.1:6443\n"
LOG = b"2026-11-23T18:48:10.000000Z\tinfo\tRunning\n2026-11-23T18:48:12.500000Z\tinfo\tDone\n"


def data(name: str) -> bytes:
    """One sample."""
    return (DATA / name).read_bytes()


def report(age: str = "1.31") -> dict[str, bytes]:
    """The members of a whole report of that age, built from the description."""
    members = {
        "bug-report.log": LOG,
        "versions": f'CLI version:\nversion.BuildInfo{{Version:"{age}.0"}}\n'.encode(),
        "cluster/cluster-context": CONTEXT,
        "cluster/crs": data("kubernetes/crs"),
        "cluster/events": data("kubernetes/events"),
        "cluster/k8s-resources": LIST,
        "cluster/kubectl-version": data("kubernetes/kubectl-version"),
        "cluster/nodes": LIST,
        "cluster/secrets": TABLE,
        "analyze/allNamespaces/allNamespaces": b"Info [IST0102] (Namespace shop) The namespace is not enabled.\n",
        f"{ISTIOD}/discovery.log": data("istio-1.31/discovery.log"),
        f"{ISTIOD}/metrics": b"# TYPE pilot_xds gauge\npilot_xds 1\n",
        f"{PROXY}/config_dump?include_eds": data("envoy-1.40/config_dump.json"),
        f"{PROXY}/certs": data("admin-1.40/certs"),
        f"{PROXY}/clusters": data("envoy-1.40/clusters.txt"),
        f"{PROXY}/listeners": data("admin-1.40/listeners"),
        f"{PROXY}/memory": data("admin-1.40/memory"),
        f"{PROXY}/server_info": data("admin-1.40/server_info"),
        f"{PROXY}/runtime": data("admin-1.40/runtime"),
        f"{PROXY}/stats/prometheus": data("admin-1.40/stats_prometheus"),
        f"{PROXY}/istio-proxy.log": data("istio-1.31/istio-proxy.log"),
    }
    members |= {f"{ISTIOD}/debug/{page}": data(f"istio-1.31/{page}") for page in ("adsz", "syncz", "mesh")}
    members |= {f"{ISTIOD}/debug/{page}": b"[]" for page in ("configz", "endpointz", "registryz")}
    members[f"{ISTIOD}/debug/push_status"] = b"{}"
    if age == "1.10":
        members[f"{ISTIOD}/debug/cdsz"] = b"[]"
    if age in {"1.24", "1.31"}:
        members[f"{ISTIOD}/debug/ambientz"] = b"{}"
        members["proxies/istio-system/ztunnel-a/config_dump"] = b'{"workloads": [], "services": []}'
        members["proxies/istio-system/ztunnel-a/istio-proxy.log"] = b"2026-11-23T18:48:12.1Z\tinfo\taccess\tx\n"
    if age == "1.31":
        members["cluster/k8s-cluster-resources"] = LIST
        members["cluster/pods"] = LIST
        members[f"{ISTIOD}/debug/krtz"] = b"{}"
    return members


def write(folder: Path, members: Mapping[str, bytes], prefix: str = "") -> Path:
    """The members as files below `folder`."""
    for name, payload in members.items():
        file = folder / f"{prefix}{name}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(payload)
    return folder


def tar(path: Path, members: Mapping[str, bytes], prefix: str = "bug-report/", mode: str = "w:gz") -> Path:
    """The members as a tar."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, payload in members.items():
            info = tarfile.TarInfo(f"{prefix}{name}")
            info.size, info.mtime = len(payload), AT
            archive.addfile(info, io.BytesIO(payload))
    return path


def zipped(path: Path, members: Mapping[str, bytes], prefix: str = "bug-report/") -> Path:
    """The members as a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, payload in members.items():
            archive.writestr(f"{prefix}{name}", payload)
    return path


_number = iter(range(1_000_000))


def imported(*sources: Path) -> tuple[Item, ...]:
    """The items of a bundle made from some sources."""
    return import_evidence(sources, f"memory://tests-importers/{next(_number)}").items


def states(items: tuple[Item, ...]) -> dict[tuple[str, str], str]:
    """Kind and subject to ``status`` or ``status: cause``."""
    return {
        (item.kind, item.subject): f"{item.status}: {item.cause}" if item.cause else str(item.status) for item in items
    }
