"""Settings to print topics for, without a bundle."""

from typing import Any

from meshforensics.guide import Held, Service, Setting, declared_topics
from meshforensics.profile import load_profile
from meshforensics.recovery import Command, Manifest, Mesh, Named, Part

RULE = Held(
    named=Named(kind="DestinationRule", namespace="shop", name="cart-rule"),
    spec={
        "host": "cart",
        "subsets": [{"name": "v1", "labels": {"version": "v1"}}],
        "trafficPolicy": {"loadBalancer": {}},
    },
)
ROUTE = Held(
    named=Named(kind="VirtualService", namespace="shop", name="cart-route"),
    spec={"hosts": ["cart"], "http": [{"route": [{"destination": {"host": "cart", "subset": "v1"}}]}]},
)


def service(**more: Any) -> Service:
    """The service shop/cart, called by shop/web-0."""
    known: dict[str, Any] = {
        "namespace": "shop",
        "name": "cart",
        "port": 8080,
        "pod": ("shop", "cart-0"),
        "caller": ("shop", "web-0"),
        "workload": Named(kind="Deployment", namespace="shop", name="cart"),
        "selector": {"app": "cart"},
    }
    return Service(**{**known, **more})


def setting(about: Service | None = None, mesh: Mesh | None = None, profile: str = "default") -> Setting:
    """A setting for it."""
    return Setting(mesh=mesh or Mesh(), service=about or service(), profile=load_profile(profile))


def parts(topic: str, where: Setting | None = None) -> tuple[Part, ...]:
    """What a topic prints."""
    return declared_topics()[topic].make(where or setting())


def commands(topic: str, where: Setting | None = None) -> list[str]:
    """The commands of a topic."""
    return [part.shell for part in parts(topic, where) if isinstance(part, Command)]


def manifests(topic: str, where: Setting | None = None) -> list[dict[str, Any]]:
    """The objects of a topic."""
    return [each for part in parts(topic, where) if isinstance(part, Manifest) for each in part.documents]
