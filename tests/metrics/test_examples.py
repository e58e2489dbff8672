import torch

from evenkeel.metrics import examples as _examples


def test_examples_follow_the_generator_and_have_the_rows_asked_for():
    makers = (_examples.embeddings, _examples.tokens, _examples.latents)
    for make in (_examples.values, _examples.classes, _examples.labels, *makers):
        first, again = (make(4, torch.Generator().manual_seed(1)) for _ in range(2))
        assert all(torch.equal(*pair) and len(pair[0]) == 4 for pair in zip(first, again, strict=True))
    distribution, target = _examples.normals(4, torch.Generator().manual_seed(1))
    assert distribution.batch_shape == target.shape == (4,)


def test_examples_of_tokens_leave_some_out_and_of_latents_hold_a_dead_dimension():
    _, target = _examples.tokens(20, torch.Generator().manual_seed(1))
    assert 0 < (target == -100).float().mean() < 1 and target.max() == 6
    latent, _ = _examples.latents(200, torch.Generator().manual_seed(1))
    assert latent.shape == (200, 6) and latent[:, 2].var() < 0.01 < latent[:, 1].var()
