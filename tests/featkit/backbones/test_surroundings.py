import logging
import os
import sys
import warnings

import pytest
from huggingface_hub.utils.tqdm import are_progress_bars_disabled

from featkit.backbones._surroundings import quiet


def test_notes_of_the_libraries_are_kept_from_the_terminal(capfd):
    with quiet():
        print("Downloading")  # what torch.hub does
        logging.getLogger("timm.models._builder").warning("note")
        logging.getLogger("huggingface_hub").warning("note")
        warnings.warn("note", stacklevel=1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("value", [None, "0"])
def test_everything_is_as_it_was_afterwards(value, monkeypatch):
    variable = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    if value is None:
        monkeypatch.delenv(variable, raising=False)
    else:
        monkeypatch.setenv(variable, value)
    logger = logging.getLogger("timm")
    level, bars, stdout = logger.level, are_progress_bars_disabled(), sys.stdout
    with pytest.raises(KeyError), quiet():
        assert os.environ[variable] == "1"
        assert are_progress_bars_disabled()
        raise KeyError
    assert os.environ.get(variable) == value
    assert (logger.level, are_progress_bars_disabled(), sys.stdout) == (level, bars, stdout)
