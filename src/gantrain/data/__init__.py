"""Data: one DataModule, sources of pictures, the cache between them."""

__all__ = ["GANDataModule"]


def __getattr__(name: str):
    # Processes that only decode pictures import this package too: they need neither torch nor Lightning.
    if name == "GANDataModule":
        from gantrain.data.module import GANDataModule

        return GANDataModule
    raise AttributeError(f"module 'gantrain.data' has no attribute '{name}'")
