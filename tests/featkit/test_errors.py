import pickle

import pytest

from featkit.errors import FeatkitError, PlanError, UsageError


def test_message_is_one_line_with_thing_cause_and_remedy():
    error = FeatkitError("no images in /x", cause="the folder\nis empty", remedy="Check the path")
    assert str(error) == "no images in /x: the folder is empty. Check the path."


@pytest.mark.parametrize(("kind", "code"), [(FeatkitError, 1), (PlanError, 1), (UsageError, 2)])
def test_exit_code_and_pickling_survive_a_worker_process(kind, code):
    error = pickle.loads(pickle.dumps(kind("what", cause="cause", remedy="Remedy")))
    assert type(error) is kind
    assert error.exit_code == code
    assert (error.what, error.cause, error.remedy) == ("what", "cause", "Remedy")
