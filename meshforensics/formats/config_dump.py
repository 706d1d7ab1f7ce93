"""Envoy's ``/config_dump``, of every age and shape (Envoy admin.rst, admin/v3/config_dump.proto).

Each distinct xDS resource is decoded once per `ResourceStore`, however many proxies hold it. A dump as
Envoy prints it today is scanned without parsing what is known already; every other shape is parsed whole.
"""

from meshforensics.formats._xds_bootstrap import role_of, subject_of
from meshforensics.formats._xds_cluster import Cluster, ClusterName, parts_of
from meshforensics.formats._xds_document import load_document
from meshforensics.formats._xds_dump import TIME_SIZE, Bootstrap, ConfigDump, Entry, Listing, Part, Rejection, Section
from meshforensics.formats._xds_endpoint import Assignment, Endpoint
from meshforensics.formats._xds_listener import FilterChain, Listener
from meshforensics.formats._xds_pems import PlacedPem, pems_of
from meshforensics.formats._xds_route import Destination, Route, RouteConfig, VirtualHost
from meshforensics.formats._xds_scan import scan
from meshforensics.formats._xds_secret import Pem, Secret
from meshforensics.formats._xds_shapes import read_shapes
from meshforensics.formats._xds_steps import Steps
from meshforensics.formats._xds_store import Kind, Resource
from meshforensics.model import NotTheFormError

__all__ = [
    "TIME_SIZE",
    "Assignment",
    "Bootstrap",
    "Cluster",
    "ClusterName",
    "ConfigDump",
    "Destination",
    "Endpoint",
    "Entry",
    "FilterChain",
    "Kind",
    "Listener",
    "Listing",
    "Part",
    "Pem",
    "PlacedPem",
    "Rejection",
    "Resource",
    "ResourceStore",
    "Route",
    "RouteConfig",
    "Secret",
    "Section",
    "VirtualHost",
    "decode",
    "parts_of",
    "pems_of",
    "role_of",
    "subject_of",
]


class ResourceStore:
    """Decodes the config dumps of one investigation, each distinct resource once."""

    def __init__(self) -> None:
        self._steps = Steps()

    def __len__(self) -> int:
        """How many distinct resources were seen."""
        return len(self._steps.resources)

    def decode(self, payload: bytes) -> ConfigDump:
        """The records of one config dump.

        Raises:
            TruncatedError: the document ends in the middle.
            NotTheFormError: it is no config dump.
        """
        dump = scan(payload, self._steps)
        if dump is not None:
            return dump
        try:
            return read_shapes(load_document(payload), self._steps.resources)
        except RecursionError as error:
            raise NotTheFormError("not a config dump: nested too deeply") from error


def decode(payload: bytes) -> ConfigDump:
    """The records of one config dump, decoded on its own."""
    return ResourceStore().decode(payload)
