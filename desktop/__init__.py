"""Candelabra: desktop charting for Massive.com market data."""

__version__ = "0.1.0"
