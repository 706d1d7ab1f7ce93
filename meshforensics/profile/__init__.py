"""Thresholds as data: levels with unit and source, windows, minimum counts, and known noise."""

from meshforensics.profile._load import Mute, Number, Profile, Threshold, load_profile

__all__ = ["Mute", "Number", "Profile", "Threshold", "load_profile"]
