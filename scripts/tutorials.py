"""Two tutorials' DCGANs on grey pictures, for `scripts/benchmark_quality.py`: TensorFlow's (Keras) and PyTorch's.

    python scripts/tutorials.py keras|torch PICTURES.npy OUT.npy UNTIL COUNT

PICTURES.npy holds pictures (n, 28, 28) as uint8. Training ends at the time UNTIL (seconds since 1970), then COUNT made
pictures go to OUT.npy in the same form. Layers, losses, rates and batches are the tutorials' own.
"""

import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def by_keras(pictures: np.ndarray, until: float, count: int) -> tuple[np.ndarray, int]:
    """The tutorial "Deep Convolutional Generative Adversarial Network" of TensorFlow: batches of 256, Adam at 1e-4."""
    import tensorflow as tf
    from tensorflow.keras import Sequential, layers

    generator = Sequential(
        [
            layers.Input((100,)),
            *(layers.Dense(7 * 7 * 256, use_bias=False), layers.BatchNormalization(), layers.LeakyReLU(0.3)),
            layers.Reshape((7, 7, 256)),
            layers.Conv2DTranspose(128, 5, padding="same", use_bias=False),
            *(layers.BatchNormalization(), layers.LeakyReLU(0.3)),
            layers.Conv2DTranspose(64, 5, strides=2, padding="same", use_bias=False),
            *(layers.BatchNormalization(), layers.LeakyReLU(0.3)),
            layers.Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False, activation="tanh"),
        ]
    )
    discriminator = Sequential(
        [
            layers.Input((28, 28, 1)),
            *(layers.Conv2D(64, 5, strides=2, padding="same"), layers.LeakyReLU(0.3), layers.Dropout(0.3)),
            *(layers.Conv2D(128, 5, strides=2, padding="same"), layers.LeakyReLU(0.3), layers.Dropout(0.3)),
            *(layers.Flatten(), layers.Dense(1)),
        ]
    )
    entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    of_generator, of_discriminator = tf.keras.optimizers.Adam(1e-4), tf.keras.optimizers.Adam(1e-4)

    @tf.function
    def step(real: "tf.Tensor") -> None:
        with tf.GradientTape() as left, tf.GradientTape() as right:
            fake = generator(tf.random.normal([256, 100]), training=True)
            of_real, of_fake = discriminator(real, training=True), discriminator(fake, training=True)
            wanted = entropy(tf.ones_like(of_fake), of_fake)
            told = entropy(tf.ones_like(of_real), of_real) + entropy(tf.zeros_like(of_fake), of_fake)
        mine = left.gradient(wanted, generator.trainable_variables)
        theirs = right.gradient(told, discriminator.trainable_variables)
        of_generator.apply_gradients(zip(mine, generator.trainable_variables, strict=True))
        of_discriminator.apply_gradients(zip(theirs, discriminator.trainable_variables, strict=True))

    scaled = (pictures[..., None].astype(np.float32) - 127.5) / 127.5
    batches = tf.data.Dataset.from_tensor_slices(scaled).shuffle(60_000).batch(256).repeat()
    iterations = 0
    for real in batches:
        if time.time() >= until:
            break
        step(real)
        iterations += 1
    made = [generator(tf.random.normal([500, 100]), training=False).numpy()[..., 0] for _ in range(-(-count // 500))]
    return np.concatenate(made)[:count], iterations


def by_torch(pictures: np.ndarray, until: float, count: int) -> tuple[np.ndarray, int]:
    """The "DCGAN Tutorial" of PyTorch: pictures at 64x64, widths 64, batches of 128, Adam at 2e-4 with beta1 0.5."""
    generator = nn.Sequential(
        *(nn.ConvTranspose2d(100, 512, 4, 1, 0, bias=False), nn.BatchNorm2d(512), nn.ReLU(True)),
        *(nn.ConvTranspose2d(512, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.ReLU(True)),
        *(nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(True)),
        *(nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(True)),
        *(nn.ConvTranspose2d(64, 1, 4, 2, 1, bias=False), nn.Tanh()),
    ).apply(as_in_the_paper)
    discriminator = nn.Sequential(
        *(nn.Conv2d(1, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)),
        *(nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2, True)),
        *(nn.Conv2d(128, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.LeakyReLU(0.2, True)),
        *(nn.Conv2d(256, 512, 4, 2, 1, bias=False), nn.BatchNorm2d(512), nn.LeakyReLU(0.2, True)),
        *(nn.Conv2d(512, 1, 4, 1, 0, bias=False), nn.Sigmoid()),
    ).apply(as_in_the_paper)
    of_generator = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    loss, real = nn.BCELoss(), torch.from_numpy(pictures)
    one, zero = torch.ones(128), torch.zeros(128)
    iterations = 0
    while time.time() < until:
        shown = real[torch.randint(len(real), (128,))][:, None].float() / 127.5 - 1
        shown = F.interpolate(shown, size=64, mode="bilinear", align_corners=False)
        discriminator.zero_grad()
        of_real = loss(discriminator(shown).view(-1), one)
        of_real.backward()
        fake = generator(torch.randn(128, 100, 1, 1))
        of_fake = loss(discriminator(fake.detach()).view(-1), zero)
        of_fake.backward()
        of_discriminator.step()
        generator.zero_grad()
        cost = loss(discriminator(fake).view(-1), one)
        cost.backward()
        of_generator.step()
        (of_real + of_fake).item(), cost.item()
        iterations += 1
    generator.eval()
    made = []
    with torch.no_grad():
        for _ in range(-(-count // 500)):
            large = generator(torch.randn(500, 100, 1, 1))
            made.append(F.interpolate(large, size=28, mode="bilinear", antialias=True, align_corners=False)[:, 0])
    return torch.cat(made)[:count].numpy(), iterations


def as_in_the_paper(layer: nn.Module) -> None:
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)


def main() -> None:
    kind, pictures, out, until, count = sys.argv[1:]
    loop = {"keras": by_keras, "torch": by_torch}[kind]
    made, iterations = loop(np.load(pictures, allow_pickle=False), float(until), int(count))
    np.save(out, np.clip(np.round((made + 1) * 127.5), 0, 255).astype(np.uint8))
    print(f"{iterations} iterations")


if __name__ == "__main__":
    main()
