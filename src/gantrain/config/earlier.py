"""Configs that earlier versions wrote, as today's version says the same."""

from typing import Any

NOISY = ("gantrain.networks.sagan_uni.Discriminator", "gantrain.networks.ccgan_uni.Discriminator")
NOISE = "gantrain.models.augment.noise.InstanceNoise"


def bring_up(config: Any) -> None:
    """Change a run's config in place. Noise that mnistGANs' discriminators added is a member of models.augment now."""
    try:
        discriminator, models = config["networks"]["discriminator"], config["models"]
        if discriminator["_target_"] not in NOISY:
            return
        augment, std = models.get("augment") or {}, discriminator.pop("noise", 0)
    except (KeyError, TypeError, AttributeError):  # what is wrong with it is said when it is checked
        return
    if std and not augment:
        models["augment"] = {"noise": {"_target_": NOISE, "std": std}}
