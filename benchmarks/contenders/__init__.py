"""Those who are measured: a script each, run in a process of its own, so that nothing is shared.

Every script takes one argument, JSON, does its work once, and says how long that took. The
rivals' scripts are what people write or what the rival's manual says, and import nothing of
featkit.
"""
