"""Techniques in words."""

from gantrain.config.compose import composed
from gantrain.config.techniques import techniques


def test_what_is_off_is_not_named_and_what_is_on_is():
    assert techniques(composed([], None)) == ""
    words = (
        *("models/augment=noise", "models.consistency=10", "models.top_k._target_=gantrain.models.adversary.TopK"),
        *("models.z_kind=uniform", "losses.adversarial.flip=0.05", "networks.discriminator.minibatch.kind=deviation"),
        *("models.augment.noise.std={_target_: gantrain.ramps.Cosine, first: 0.1, last: 0.0, images: 5000}",),
        *("networks.discriminator.pack=2", "networks.discriminator.features=true"),
        "losses.matching._target_=gantrain.losses.matching.FeatureMatching",
        *("networks.discriminator.freeze=2", "losses.drift._target_=gantrain.losses.drift.Drift"),
        *("models.fade_images=50000", "models.classes=null", "models.clusters=20"),
    )
    assert techniques(composed(words, None)) == (
        "InstanceNoise (std 0.1 to 0 over 5,000 images, images None), consistency 10, TopK, "
        "20 clusters in the place of classes, uniform latents, "
        "0.05 of the labels flipped, FeatureMatching, Drift, layers of this size fade in over 50,000 images, "
        "2 parts of the discriminator frozen, minibatch deviation in the discriminator, packs of 2 in the discriminator"
    )


def test_where_there_are_classes_no_clusters_are_named():
    assert techniques(composed(["experiment=mnist_fast"], None)) == ""
    assert techniques(composed(["experiment=mnist_fast", "models=latent"], None)) == (
        "64 clusters in the place of classes"
    )


def test_numbers_that_change_are_told_once():
    assert techniques(composed(["experiment=r3gan_mnist"], None)) == (
        "lr 0.001 to 0.00025 over 1,200,000 images, half_life_images 0 to 50000 over 1,200,000 images, "
        "r1 weight 1 to 0.1 over 1,200,000 images, r2 weight 1 to 0.1 over 1,200,000 images"
    )
