"""Drills: failures injected into real processes under load, and compared with the guarantees."""
