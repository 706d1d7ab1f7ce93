"""Thresholds as data: levels with unit and source, windows, minimum counts, and known noise."""

from meshforensics.profile._forms import Mute, Number, Profile, Threshold
from meshforensics.profile._load import load_profile

__all__ = ["Mute", "Number", "Profile", "Threshold", "load_profile"]
