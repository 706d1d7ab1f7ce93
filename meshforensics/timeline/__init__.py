"""Everything with a time, in one ordered table: what happened first, on which plane, and where it is written."""

from meshforensics.timeline._events import Event, Source
from meshforensics.timeline._timeline import timeline
from meshforensics.timeline._traffic import gateway_pods

__all__ = ["Event", "Source", "gateway_pods", "timeline"]
