"""What this computer and its software can do for featkit, and what to mend.

Nothing heavy is imported here: a broken library must not keep the rest from being looked at.
"""

from featkit.doctor.examining import examine
from featkit.doctor.finding import Finding, Verdict
from featkit.doctor.tested import tested_versions

__all__ = ["Finding", "Verdict", "examine", "tested_versions"]
