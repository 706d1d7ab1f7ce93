"""A mesh with names, and situations to make steps for."""

from typing import Any

from meshforensics.model import Hypothesis, Standing
from meshforensics.recovery import Deed, Mesh, Named, Situation, declared_steps

WEB = Named(kind="Deployment", namespace="shop", name="web")
CART = Named(kind="Deployment", namespace="shop", name="cart")
DB = Named(kind="StatefulSet", namespace="data", name="db")
EDGE = Named(kind="Deployment", namespace="edge", name="gateway")
POLICY = Named(kind="AuthorizationPolicy", namespace="shop", name="deny-cart")
ROUTE = Named(kind="VirtualService", namespace="shop", name="cart")
RULE = Named(kind="DestinationRule", namespace="shop", name="cart")
OLD, NEW = "5c443ed150e2258e716d27ad965f471c1652a43e", "2d23a66ac9386fa6ed6dee6b5e9781eedf1771b2"


def mesh(**more: Any) -> Mesh:
    """A mesh of three workloads behind a gateway: web calls cart, cart calls db."""
    known: dict[str, Any] = {
        "version": (1, 31),
        "kinds": ("virtualservices.networking.istio.io",),
        "workloads": (CART,),
        "order": (DB, CART, WEB),
        "gateways": (EDGE,),
        "objects": (ROUTE, RULE, POLICY),
        "pods": (("shop", "cart-5d8f7c9b4-x2x4z"),),
        "labels": {CART: {"app": "cart"}},
        "roots": {NEW: ("shop/cart-5d8f7c9b4-x2x4z",), OLD: ("shop/web-0", "data/db-0")},
        "signer": "cacerts",
    }
    return Mesh(**{**known, **more})


def situation(about: Mesh | None = None, **more: Any) -> Situation:
    """A situation of that mesh."""
    verdict = Hypothesis(incident="ca-rotation", status=Standing.SUPPORTED, confidence=1.0, **more)
    return Situation(mesh=about or mesh(), verdict=verdict, paths=("incident.zip",))


def deed(step: str, about: Mesh | None = None) -> Deed:
    """What a step is for a mesh that has something for it."""
    made = declared_steps()[step].make(situation(about))
    assert made is not None
    return made


def lines(parts: tuple[Any, ...]) -> list[str]:
    """What is printed."""
    return [part if isinstance(part, str) else part.shell for part in parts]
