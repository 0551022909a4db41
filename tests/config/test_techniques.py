"""Techniques in words."""

from gantrain.config.compose import composed
from gantrain.config.techniques import techniques


def test_what_is_off_is_not_named_and_what_is_on_is():
    assert techniques(composed([], None)) == ""
    words = (
        *("models/augment=noise", "models.consistency=10", "models.top_k._target_=gantrain.models.adversary.TopK"),
        *("models.z_kind=uniform", "losses.adversarial.flip=0.05", "networks.discriminator.minibatch.kind=deviation"),
        *("networks.discriminator.features=true", "losses.matching._target_=gantrain.losses.matching.FeatureMatching"),
        *("networks.discriminator.freeze=2", "losses.drift._target_=gantrain.losses.drift.Drift"),
        "models.fade_images=50000",
    )
    assert techniques(composed(words, None)) == (
        "InstanceNoise (std 0.1, images None), consistency 10, TopK, uniform latents, 0.05 of the labels flipped, "
        "FeatureMatching, Drift, layers of this size fade in over 50,000 images, 2 parts of the discriminator frozen, "
        "minibatch deviation in the discriminator"
    )
