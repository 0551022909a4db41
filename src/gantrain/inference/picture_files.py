"""A user's pictures through a run, file by file: where they go, what is refused first, what goes wrong with one."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from gantrain.data.folder import list_pictures
from gantrain.data.formats.decode import Unreadable, lost_of
from gantrain.drawing.progress import track
from gantrain.errors import UserError, tell
from gantrain.files import replacing


def plan(inputs: Sequence[Path], out: Path, force: bool, suffix: str | None = None) -> dict[Path, Path]:
    """Where each picture goes, under its name or with another suffix, and where it comes from.

    Raises UserError before anything is written.
    """
    jobs: dict[Path, Path] = {}
    for path in inputs:
        if not path.exists():
            raise UserError(f"IN: there is no file or folder {str(path)!r}")
        folder, names = path.parent, [path.name]
        if path.is_dir():
            listing = list_pictures(path, "IN")
            folder, names = path, listing.names
            for reason, count in listing.passed_over.items():
                tell(f"IN: {count:,} files are passed over: {reason}")
        for name in names:
            source, target = folder / name, out / name
            target = target if suffix is None else target.with_suffix(suffix)
            if path.is_dir() and out.resolve() != path.resolve() and source.resolve().is_relative_to(out.resolve()):
                continue  # what was made before is no input
            if target in jobs and not source.samefile(jobs[target]):
                raise UserError(
                    f"IN: {str(jobs[target])!r} and {str(source)!r} would both become {str(target)!r}; run the "
                    f"command for each, with an --out of its own"
                )
            jobs[target] = source
    if file := next((place for place in (out, *out.parents) if place.is_file()), None):
        raise UserError(f"--out: {file} is a file, not a folder; name another")
    for target, source in jobs.items():
        if target.exists() and target.samefile(source):
            raise UserError(f"--out: {str(source)!r} lies there and would be overwritten; name another folder")
    there = [target for target in jobs if target.exists()]
    if there and not force:
        more = f" and {len(there) - 1:,} more are" if len(there) > 1 else " is"
        raise UserError(f"--out: {there[0]}{more} there already; --force replaces what is there")
    if not jobs:
        raise UserError("IN: nothing to do: all of it lies in --out")
    return jobs


def work(jobs: Mapping[Path, Path], make: Callable[[Path], Image.Image], done: str) -> int:
    """Write what `make` makes of each picture; the exit code. `done` describes what was done to them.

    One that cannot be read or written is named at the end and stops no other. Of what is lost in reading it is said
    how often, with one name.
    """
    failures: dict[Path, str] = {}
    lost: Counter[str] = Counter()
    examples: dict[str, Path] = {}
    for target, source in track(jobs.items(), len(jobs), "pictures"):
        try:
            save(make(source), target)
            for what in lost_of(source):
                lost[what] += 1
                examples.setdefault(what, source)
        except Unreadable as error:
            failures[source] = str(error)
        except OSError as error:
            failures[source] = f"cannot write {target}: {error.strerror or error}"
    print(f"{len(jobs) - len(failures):,} of {len(jobs):,} pictures{done}", flush=True)
    for what, count in lost.items():
        tell(f"{what}: {count:,} pictures, such as {str(examples[what])!r}")
    for source, reason in failures.items():
        tell(f"{str(source)!r}: {reason}")
    return 1 if failures else 0


def save(picture: Image.Image, file: Path) -> None:
    """Write a picture as its file's suffix says, whole or not at all. Raises OSError and Unreadable."""
    kind = Image.registered_extensions().get(file.suffix.lower())
    if kind is None:
        raise Unreadable(f"no picture can be written as '{file.suffix}'")
    if kind == "JPEG" and picture.mode not in ("L", "RGB"):
        raise Unreadable(f"a .jpg has neither transparency nor 16 bits, this picture is {picture.mode}")
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as temporary:
        kept = {key: picture.info[key] for key in ("icc_profile", "exif") if picture.info.get(key)}
        picture.save(temporary, format=kind, quality=95, **kept)
