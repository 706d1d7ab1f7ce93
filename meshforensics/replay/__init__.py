"""Replay: a read-only Kubernetes API over a bundle, as of one instant, on loopback."""

from meshforensics.replay._answer import Answer
from meshforensics.replay._api import Api, application
from meshforensics.replay._moments import Moments
from meshforensics.replay._pages import Ask
from meshforensics.replay._server import Replay, replay

__all__ = ["Answer", "Api", "Ask", "Moments", "Replay", "application", "replay"]
