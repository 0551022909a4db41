"""What this machine is, and what is wrong with it for training."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path

import torch

from gantrain import __version__
from gantrain.data.cache.fill import cores
from gantrain.folders import cache_folder, data_folder
from gantrain.run.provenance import commit

LIBRARIES = ("torch", "torchvision", "pytorch-lightning", "hydra-core", "torchmetrics", "numpy")
EXTRAS = {"mp4": "imageio_ffmpeg", "fid": "torch_fidelity", "timm": "timm", "wandb": "wandb", "mlflow": "mlflow"}
LITTLE_DISK, LITTLE_MEMORY = 2e9, 1.5e9  # bytes


def facts() -> dict[str, str]:
    """The machine in words, by what is told."""
    there = [name for name, module in EXTRAS.items() if importlib.util.find_spec(module)]
    source = commit()
    return {
        "gantrain": f"{__version__}{f', commit {source}' if source else ''}, Python {platform.python_version()}",
        "libraries": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES),
        "extras": ", ".join(there) or "none",
        "GPU": gpu(),
        "memory": f"{total_memory() / 1e9:,.1f} GB, {free_memory() / 1e9:,.1f} GB free",
        "threads": f"{torch.get_num_threads()} of PyTorch, {cores()} cores",
        "disk": f"{free_disk('.') / 1e9:,.1f} GB free here, {free_disk(cache_folder()) / 1e9:,.1f} GB for the cache",
        "cache": f"{cache_folder()}, {size(cache_folder()) / 1e6:,.0f} MB",
        "data": f"{data_folder()}, {'there' if data_folder().is_dir() else 'not there'}",
    }


def troubles() -> list[str]:
    """What is wrong, each with the way out."""
    found = []
    if shutil.which("nvidia-smi") and not torch.cuda.is_available():
        found.append("there is an NVIDIA GPU, but PyTorch does not use it; install a build of torch for its driver")
    if torch.get_num_threads() > cores():
        found.append(
            f"PyTorch takes {torch.get_num_threads()} threads on {cores()} cores, which slows it down; set "
            f"trainer.threads={cores()} or OMP_NUM_THREADS"
        )
    if free_memory() < LITTLE_MEMORY:
        found.append(f"only {free_memory() / 1e9:,.1f} GB of memory are free; a run takes 1 GB and more")
    for what, folder in (("the working directory", Path()), ("the cache", cache_folder())):
        place = existing(folder)
        if not os.access(place, os.W_OK):
            found.append(f"{what} cannot be written ({place}); train elsewhere, or set GANTRAIN_CACHE for the cache")
        elif free_disk(place) < LITTLE_DISK:
            found.append(f"{free_disk(place) / 1e9:,.1f} GB of disk are free for {what}; make room")
    return found


def gpu() -> str:
    if not torch.cuda.is_available():
        return "none that PyTorch can use"
    free, total = torch.cuda.mem_get_info()
    devices = ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
    return f"{devices}; {total / 1e9:,.1f} GB, {free / 1e9:,.1f} GB free; CUDA {torch.version.cuda}"


def total_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def free_memory() -> int:
    """What programs can still take: Linux says so, elsewhere it is all there is."""
    if sys.platform == "linux":
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    return total_memory()


def free_disk(folder: Path | str) -> int:
    return shutil.disk_usage(existing(Path(folder))).free


def existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())


def size(folder: Path) -> int:
    """The bytes of all files under a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
