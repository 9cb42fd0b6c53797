"""Speed: what this machine's decoding and networks can do, and how long a data set would take."""

from featkit.speed.advice import advice
from featkit.speed.benching import USUAL, bench
from featkit.speed.findings import BackboneSpeed, Findings, WaySpeed
from featkit.speed.rate import Rate

__all__ = ["USUAL", "BackboneSpeed", "Findings", "Rate", "WaySpeed", "advice", "bench"]
