from dataclasses import replace

import pytest
import torch

from featkit.errors import UsageError
from featkit.features._device_loader import DeviceLoader
from featkit.features._loader import Loader
from featkit.features._loading import check_decoder, loader_of

CPU, GPU = torch.device("cpu"), torch.device("cuda:0")


@pytest.mark.parametrize(("decoder", "kind"), [("cpu", Loader), ("gpu", DeviceLoader)])
def test_the_preprocessing_says_where(fakes, decoder, kind):
    preprocessing = replace(fakes.backbone().preprocessing, decoder=decoder)
    made = loader_of(fakes.dataset(3), preprocessing, views=1, workers=2, devices=[CPU])
    assert isinstance(made, kind)


def test_what_cannot_be_done_is_refused(fakes):
    plain = fakes.backbone().preprocessing
    gpu = replace(plain, decoder="gpu")
    check_decoder(plain, CPU, views=4)
    check_decoder(gpu, GPU, views=1)
    with pytest.raises(UsageError, match="--decoder gpu: cpu is no NVIDIA GPU"):
        check_decoder(gpu, CPU, views=1)
    with pytest.raises(UsageError, match="--decoder gpu with --views 2: the processor makes"):
        check_decoder(gpu, GPU, views=2)
