"""int8 for batches: near what float32 gives, the same whoever else is in the batch, exact for few tokens."""

import copy

import pytest
import torch

from models.int8 import replace_linear, supported

FEWEST = 16


@pytest.fixture(scope="module")
def both():
    torch.manual_seed(3)
    plain = torch.nn.Sequential(torch.nn.Linear(64, 96), torch.nn.GELU(), torch.nn.Linear(96, 32)).eval()
    return plain, replace_linear(copy.deepcopy(plain), FEWEST)


def test_a_batch_is_near_what_float32_gives(both):
    x = torch.randn(4, FEWEST, 64)
    with torch.inference_mode():
        exact, found = both[0](x), both[1](x)
    assert found.shape == exact.shape
    assert not torch.equal(found, exact)
    assert torch.nn.functional.cosine_similarity(found, exact, dim=-1).min() > 0.99


def test_few_tokens_are_exact(both):
    x = torch.randn(FEWEST - 1, 64)
    with torch.inference_mode():
        assert torch.equal(both[1](x), both[0](x))


def test_a_loud_neighbour_changes_nothing(both):
    x = torch.randn(2 * FEWEST, 64)
    loud = torch.cat([x[:-1], 1000 * x[-1:]])
    with torch.inference_mode():
        assert torch.allclose(both[1](x)[:-1], both[1](loud)[:-1], atol=1e-6)


def test_nothing_at_all_stays_finite(both):
    with torch.inference_mode():
        assert torch.isfinite(both[1](torch.zeros(FEWEST, 64))).all()


def test_weights_are_still_there_by_their_names(both):
    assert both[1].state_dict().keys() == both[0].state_dict().keys()


def test_it_says_whether_the_processor_can():
    assert supported() in (True, False)
