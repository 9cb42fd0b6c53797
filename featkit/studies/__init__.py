"""Studies: everything from extraction to report, from one TOML file or a bundled name."""

from featkit.studies.catalogue import BundledStudy, bundled_names, bundled_path, bundled_studies
from featkit.studies.reading import load_study
from featkit.studies.running import Outcome, StepState, StudyState, run_study, study_state
from featkit.studies.schema import Study

__all__ = [
    "BundledStudy",
    "Outcome",
    "StepState",
    "Study",
    "StudyState",
    "bundled_names",
    "bundled_path",
    "bundled_studies",
    "load_study",
    "run_study",
    "study_state",
]
