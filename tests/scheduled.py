"""A run of CycleGAN that is as long as its schedule."""

SCHEDULED = (
    *("experiment=cyclegan_small", "debug=tiny", "callbacks.samples.count=1", "callbacks.networks=null"),
    *(f"models.players.generators.schedule.{key}" for key in ("start=1", "end=2")),
    "data.batch_size=1",
)
