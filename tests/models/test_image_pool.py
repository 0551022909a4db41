"""The pool of fakes: what it gives by hand, how often it swaps, and that a resumed run has the same one."""

import pytest
import torch
from compare import differences, newest

from gantrain.errors import UserError
from gantrain.models.image_pool import ImagePool

CPU = torch.device("cpu")


def test_who_is_kept_and_who_is_given_by_hand():
    pool = ImagePool(2)
    first = pool(torch.tensor([[1.0], [2.0]]), torch.tensor([0.0, 0.0]), torch.tensor([0.9, 0.9]))
    assert first.tolist() == [[1], [2]]  # kept and given, whatever was drawn
    # 3 replaces the second, 4 is given at once, 5 replaces the 3 that came just before
    mixed = pool(torch.tensor([[3.0], [4.0], [5.0]]), torch.tensor([0.4, 0.5, 0.0]), torch.tensor([0.5, 0.0, 0.99]))
    assert mixed.tolist() == [[2], [4], [3]]
    assert [image.item() for image in pool.state_dict()["kept"]] == [1, 5]


def test_half_of_the_fakes_are_older_ones():
    pool, old = ImagePool(50), 0
    generator = torch.Generator().manual_seed(0)
    for i in range(300):
        fakes = torch.full((10, 1), float(i))
        given = pool(fakes, torch.rand(10, generator=generator), torch.rand(10, generator=generator))
        old += (given < i).sum().item() if i >= 5 else 0
    assert old / 2950 == pytest.approx(0.5, abs=0.05)
    assert len(pool.state_dict()["kept"]) == 50


def test_what_it_keeps_is_its_own_and_without_gradient():
    pool = ImagePool(1)
    fakes = torch.ones(1, 2, requires_grad=True)
    assert not pool(fakes * 1, torch.zeros(1), torch.zeros(1)).requires_grad
    with torch.no_grad():
        fakes.zero_()
    assert pool.kept[0].tolist() == [1, 1]


def test_what_is_not_finite_is_not_kept():
    pool = ImagePool(2)
    fakes = torch.tensor([[1.0], [float("nan")], [2.0], [float("inf")]])
    given = pool(fakes, torch.zeros(4), torch.zeros(4))
    assert [image.item() for image in pool.state_dict()["kept"]] == [1, 2]
    assert given[3].item() == float("inf")


def test_its_state_comes_back():
    pool, again = ImagePool(3), ImagePool(3)
    pool(torch.randn(2, 4), torch.zeros(2), torch.zeros(2))
    again.load_state_dict(pool.state_dict(), CPU)
    assert differences(pool.state_dict(), again.state_dict()) == []
    with pytest.raises(ValueError, match="size is 0"):
        ImagePool(0)


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        ("pictures", "a list"),
        ([1.0], "a list"),
        ([torch.zeros(1)] * 3, "a pool of 2 cannot keep 3"),
        ([torch.zeros(1), torch.zeros(2)], "one shape"),
        ([torch.zeros(1), torch.full((1,), float("nan"))], "finite"),
        ([torch.zeros(1).long()], "finite"),
    ],
)
def test_a_state_that_no_pool_had_is_refused(kept, says):
    pool = ImagePool(2)
    with pytest.raises(ValueError, match=says):
        pool.load_state_dict({"kept": kept}, CPU)
    assert pool.state_dict()["kept"] == []
    pool.load_state_dict({"kept": [torch.zeros(3, 4)]}, CPU)
    with pytest.raises(UserError, match=r"not what the checkpoint holds \(pictures of \(3, 4\), not \(3, 5\)\)"):
        pool(torch.zeros(1, 3, 5), torch.zeros(1), torch.zeros(1))


FAMILY = """\
from gantrain.models.image_pool import ImagePool
from gantrain.models.latent import LatentGAN


class Pooled(LatentGAN):
    def __init__(self, **options):
        super().__init__(**options)
        self.keep("pool", ImagePool(10))

    def draw(self, batch):
        drawn = {key: self.uniform(batch, key=key) for key in ("swap", "place")}
        return {**super().draw(batch), **drawn}

    def losses(self, name, batch, shared):
        if name == "discriminator":
            shared = self.kept["pool"](shared, batch["swap"], batch["place"])
        return super().losses(name, batch, shared)
"""


def test_a_resumed_run_has_the_same_pool(gantrain, tmp_path, monkeypatch):
    (tmp_path / "pooled_family.py").write_text(FAMILY)
    monkeypatch.syspath_prepend(tmp_path)
    words = ("experiment=gan_mnist_keras", "debug=tiny", "callbacks.networks=null", "plugins=[pooled_family]")
    words = (*words, "models._target_=pooled_family.Pooled")
    assert gantrain(*words, "iterations=2", "hydra.run.dir=stopped").code == 0
    (pool,) = newest("stopped")["stateful"]
    assert len(pool["pool"]["kept"]) == 10
    resumed = gantrain("resume", "stopped", "iterations=4", "plugins=[pooled_family]")
    assert resumed.code == 0, resumed
    assert gantrain(*words, "iterations=4", "hydra.run.dir=straight").code == 0
    assert differences(newest("stopped"), newest("straight")) == []
