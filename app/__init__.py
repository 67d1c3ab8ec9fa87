"""OpenQI: an open API to run healthcare quality-improvement programmes."""

__version__ = "0.1.0"
