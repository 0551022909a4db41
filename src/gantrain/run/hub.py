"""Runs on the Hugging Face Hub: what of a run goes there, and what comes back, from whomever it is.

A repository holds a run's folder. Of one that comes back only files are taken whose names this module knows, into
a folder of ours; weights are safetensors, and checkpoints come along only where they are asked for. What they hold is
read as any stranger's run is.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from gantrain.config.paths import HUB, place_of
from gantrain.config.stages import stages_of
from gantrain.errors import UserError, first_line
from gantrain.folders import cache_folder
from gantrain.run.folder import Run, frames
from gantrain.run.scores import scores_file

NAME = r"[A-Za-z0-9][\w.-]{0,95}"
REPOSITORY = re.compile(rf"{NAME}/{NAME}", re.ASCII)
ADDRESS = re.compile(rf"{HUB}(?P<repository>{NAME}/{NAME})(@(?P<revision>[\w./-]{{1,200}}))?", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
CARD, CONFIG = "README.md", ".hydra/config.yaml"
SMALL = re.compile(  # all that using a run takes
    r"\.hydra/config\.yaml|(metrics|scores)\.jsonl|changes\.txt|checkpoints/[\w-]+/finished\.json"
    r"|networks/[\w-]+/((weights|ema)\.safetensors|config\.json)",
    re.ASCII,
)
LARGE = re.compile(r"samples/([\w-]+/)?\d{8,}\.png|checkpoints/[\w-]+/(\d{8,}|best)\.ckpt", re.ASCII)
MOST_FILES = 1_000
MOST_BYTES = 32 << 30  # of all files together


def is_address(word: Any) -> bool:
    """Whether a word names a run on the Hub."""
    return str(word).startswith(HUB)


def check_repository(word: str) -> str:
    """The name of a repository. Raises UserError for what is none."""
    if not REPOSITORY.fullmatch(word):
        raise UserError(f"'{word}' is no name of a repository on the Hub; write it as user/name")
    return word


# ---- there -----------------------------------------------------------------------------------------------------------


def push(run: Run, repository: str, card: str, checkpoints: bool, private: bool) -> str:
    """Put a run into a repository, which is made where it is missing; returns its address in a browser.

    Files of an earlier push that the run does not have are taken away. Raises UserError.
    """
    files = {**files_of(run, checkpoints), CARD: card.encode()}
    with reached(repository) as api:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        url = api.create_repo(repository, private=private or None, exist_ok=True)
        old = [file.rfilename for file in api.model_info(repository).siblings or () if file.rfilename not in files]
        added = [
            CommitOperationAdd(name, str(file) if isinstance(file, Path) else file) for name, file in files.items()
        ]
        gone = [CommitOperationDelete(name) for name in old if is_ours(name)]
        api.create_commit(repository, [*added, *gone], commit_message="A run of gantrain")
    return str(url)


def files_of(run: Run, checkpoints: bool) -> dict[str, Path | bytes]:
    """The files of a run by their names in a repository. Raises UserError where there is nothing trained."""
    config, weights = run.config(), sorted(run.networks.glob("*/*"))
    if not any(file.name == "weights.safetensors" for file in weights):
        raise UserError(f"{run.folder} has no networks/ yet; `gantrain resume {run.quoted}` writes them at its end")
    files = [run.metrics_file, scores_file(run.folder), run.changes_file, *weights]
    for stage in stages_of(config):
        folder = run.checkpoints(stage.name)
        files += [folder / "finished.json", *frames(run.samples(stage.tag))[-1:]]
        if checkpoints:
            newest = run.checkpoint_files(stage.name)[:1]
            if not newest:
                raise UserError(f"--checkpoints: {folder} has none; leave the option out")
            files += [*newest, folder / "best.ckpt"]
    text = yaml.safe_dump(without_places(config), sort_keys=False, allow_unicode=True)
    named = {file.relative_to(run.folder).as_posix(): file for file in files if file.is_file()}
    return {CONFIG: text.encode(), **{name: file for name, file in named.items() if is_ours(name)}}


def without_places(node: Any, key: str = "") -> Any:
    """A config without the folders of the machine that it was trained on; of a file elsewhere its name stays."""
    if isinstance(node, Mapping):
        return {name: without_places(value, f"{key}.{name}".lstrip(".")) for name, value in node.items()}
    if isinstance(node, list):
        return [without_places(value, key) for value in node]
    if not (isinstance(node, str) and Path(node).is_absolute()):
        return node
    place = place_of(key)
    return None if place is not None and place.kind == "folder" else Path(node).name


def is_ours(name: str) -> bool:
    return bool(SMALL.fullmatch(name) or LARGE.fullmatch(name))


# ---- and back --------------------------------------------------------------------------------------------------------


def fetched(address: str) -> Path:
    """The folder of the run at `hf://user/name` or `hf://user/name@revision`, in our cache; fetched where it is new.

    It has what using a run takes, no checkpoints. A commit that is there already needs no network. Raises UserError.
    """
    found = ADDRESS.fullmatch(address)
    if not found or ".." in address:
        raise UserError(f"'{address}' is no run on the Hub; write hf://user/name, or hf://user/name@revision")
    repository, revision = found["repository"], found["revision"]
    home = cache_folder() / "hub" / repository.replace("/", "--")
    if revision and COMMIT.fullmatch(revision) and (home / revision).is_dir():
        return home / revision
    with reached(repository) as api:
        commit, names = listed(api, repository, revision, SMALL)
        if (home / commit).is_dir():
            return home / commit
        take(api, repository, commit, names, home / commit)
    return home / commit


def pull(repository: str, revision: str | None, folder: Path) -> None:
    """Put the run of a repository into a new folder, with its checkpoints where they went along. Raises UserError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is there already; name a new folder")
    with reached(repository) as api:
        commit, names = listed(api, repository, revision, SMALL, LARGE)
        take(api, repository, commit, names, folder)


def listed(api: Any, repository: str, revision: str | None, *kinds: re.Pattern[str]) -> tuple[str, list[str]]:
    """A repository's commit, and those of its files that are of these kinds. Raises UserError where it is no run."""
    info = api.model_info(repository, revision=revision, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    sizes = {name: size for name, size in sizes.items() if any(kind.fullmatch(name) for kind in kinds)}
    if CONFIG not in sizes or not COMMIT.fullmatch(str(info.sha)):
        raise UserError(f"{HUB}{repository} holds no run; name one that `gantrain push` wrote, with {CONFIG}")
    if len(sizes) > MOST_FILES or sum(sizes.values()) > MOST_BYTES:
        size = f"{len(sizes):,} files of {sum(sizes.values()):,} bytes"
        raise UserError(f"{HUB}{repository} is too large for a run: {size}")
    return info.sha, sorted(sizes)


def take(api: Any, repository: str, commit: str, names: Sequence[str], folder: Path) -> None:
    """Download files into a new folder, which is there only once all are."""
    part = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        for name in names:
            api.hf_hub_download(repository, name, revision=commit, local_dir=part)
        shutil.rmtree(part / ".cache", ignore_errors=True)  # what the library notes of its downloads
        with contextlib.suppress(FileExistsError):  # another process was quicker
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def reached(repository: str) -> Iterator[Any]:
    """The Hub, or what stands in its place by $HF_ENDPOINT. Raises UserError for all that goes wrong with it."""
    try:
        from huggingface_hub import HfApi, errors
        from huggingface_hub.utils import disable_progress_bars
    except ImportError as error:
        raise UserError(f"{HUB}{repository}: huggingface_hub is missing; `pip install 'gantrain[hf]'`") from error
    disable_progress_bars()
    try:
        yield HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    except errors.RepositoryNotFoundError as error:
        raise UserError(
            f"{HUB}{repository}: there is no such repository, or not for you; `hf auth login` says who you are"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UserError(f"{HUB}{repository}: it has no such revision") from error
    except (errors.HTTPError, errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, ValueError) as error:
        raise UserError(f"{HUB}{repository}: the Hub does not give it ({first_line(error)})") from error
