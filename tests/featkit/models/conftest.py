"""A model of each kind of head."""

import pytest

from featkit.models import TrainedModel


@pytest.fixture(params=["linear", "lightgbm", "mlp"])
def kind(request):
    return request.param


@pytest.fixture
def model(folder_of, kind):
    return TrainedModel.load(folder_of(kind))
