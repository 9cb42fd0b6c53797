"""Rounds: all contenders one after the other, again and again (A B C A B C ...)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from benchmarks.harness.measurement import Contender, Measurement
from benchmarks.harness.watching import Watcher

__all__ = ["Round", "alternate", "calibrated", "under_way"]

Round = Mapping[str, Measurement]
"""What each contender did in one round, by name."""

_ENOUGH = 0.6
"""A trial this near to the wanted time is near enough to scale from."""
_GROWTH = 8
"""How much longer the next trial may be at most: a first rate can be far off."""


def alternate(contenders: Sequence[Contender], rounds: int, watcher: Watcher) -> list[Round]:
    """Measure all contenders in turn, `rounds` times.

    Args:
        contenders: In the order in which each round measures them.
        rounds: How often.
        watcher: Told of every measurement.
    """
    done: list[Round] = []
    for number in range(1, rounds + 1):
        measured = {}
        for contender in contenders:
            watcher.begins(f"round {number}/{rounds}: {contender.name}")
            measured[contender.name] = contender.measure(contender.work)
            watcher.ended(f"round {number}/{rounds}", contender.name, measured[contender.name])
        done.append(measured)
    return done


def calibrated(
    contender: Contender, seconds: float, watcher: Watcher, *, step: int = 1, most: int = 100_000
) -> tuple[Contender, list[Measurement]]:
    """Return the contender with as much work as fills about `seconds`, and the trials.

    The trials grow until one is long enough to tell, so that what happens once (starting
    processes, compiling) does not decide; they warm caches up and count for nothing else.

    Args:
        contender: Its `work` is the first trial.
        seconds: What a round is to take.
        watcher: Told of every trial.
        step: The work is a multiple of this.
        most: Never more than this.
    """
    trials: list[Measurement] = []
    work = contender.work
    while True:
        watcher.begins(f"trial: {contender.name}")
        trials.append(contender.measure(work))
        watcher.ended("trial", contender.name, trials[-1])
        ideal = work * seconds / trials[-1].seconds
        following = min(max(step, round(ideal / step) * step), most)
        if trials[-1].seconds >= _ENOUGH * seconds or following <= work:
            return replace(contender, work=following), trials
        work = min(following, work * _GROWTH)


def under_way(rounds: Sequence[Round], name: str) -> list[float]:
    """Return a contender's rates in the middle half of a job; [] of who is not there, or silent."""
    rates = [each[name].facts.get("rate_between") if name in each else None for each in rounds]
    return cast(list[float], rates) if all(rates) else []
