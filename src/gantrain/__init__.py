"""gantrain trains generative adversarial networks from config files."""

__version__ = "0.1.0"
__all__ = ["load"]


def __getattr__(name: str):
    # `import gantrain` stays free of torch: `gantrain --help` and `gantrain list` answer at once.
    if name == "load":
        from gantrain.inference.loaded import load

        return load
    raise AttributeError(f"module 'gantrain' has no attribute '{name}'")
