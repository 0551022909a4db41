"""`gantrain tune experiment=X --trials 40 --space space.yaml`: search for values that give a better score.

The file of --space names the keys and what to try for each:

    models.players.generator.optimizer.lr: {low: 1e-4, high: 1e-2, log: true}
    networks.generator.width: {low: 8, high: 32, step: 8}
    losses: [non_saturating, hinge]

A trial is a run. The search minimises the score that evaluation.best names (or maximises it, where higher is better).
The search ends a trial early if its scores on the way are worse than the median of the others'. This needs
evaluation.every.
The same command continues a search that was stopped, and joins one that another process has begun.

Examples:
    gantrain tune experiment=cgan_digits iterations=1000 evaluation.every=250 --trials 12 --space space.yaml
"""

import argparse
import csv
from pathlib import Path
from typing import Any

from gantrain.cli.options import Add, add_seed
from gantrain.cli.sweep import shortened
from gantrain.config.overrides import value_of
from gantrain.config.space import read_space
from gantrain.drawing.text import aligned
from gantrain.errors import UserError
from gantrain.files import replacing
from gantrain.training.quiet import quiet_libraries


def add_options(add: Add) -> None:
    add("words", nargs="*", metavar="key=value", help="what a run takes: experiment=X, data.root=FOLDER, lengths")
    add("--space", type=Path, required=True, metavar="FILE", help="YAML: what to try for which keys")
    add("--trials", type=int, default=20, metavar="N", help="how many, over all processes and starts (20)")
    add("--out", type=Path, metavar="FOLDER", help="where the search lives (tune/<experiment>)")
    add("--storage", metavar="URL", help="a data base that several machines share (else SQLite in --out)")
    add("--no-prune", action="store_true", help="let every trial come to its end")
    add("--config-dir", help="a folder with experiments of your own")
    add_seed(add, "of the proposals (0)")


def main(args: argparse.Namespace) -> int:
    if args.trials < 1:
        raise UserError(f"--trials is {args.trials}, it must be 1 or more")
    try:
        from gantrain.training import search
    except ModuleNotFoundError as error:
        raise UserError(f"gantrain tune needs Optuna: pip install 'gantrain[tune]' ({error})") from error
    quiet_libraries()  # again: Lightning has just been imported
    named = [str(value_of(word)) for word in args.words if word.startswith("experiment=")]
    name = named[-1] if named else "cgan_digits"
    one = search.Search(
        name=name,
        folder=args.out or Path("tune") / name,
        words=args.words,
        space=read_space(args.space),
        trials=args.trials,
        storage=args.storage,
        seed=args.seed,
        prune=not args.no_prune,
        config_dir=args.config_dir,
    )
    first = one.check()
    if one.prune and first["evaluation"].get("every") is None:
        print(
            "gantrain: no trial is ended early without scores on the way; set evaluation.every=N for that", flush=True
        )
    study, best = one.open(), first["evaluation"].get("best")
    try:
        return one.work(study)
    finally:
        tell(one, search.rows(study, best), search.name_of_score(study, best))


def tell(search: Any, rows: list[dict[str, Any]], score: str | None) -> None:
    """The table, the picture, and how to go on."""
    if not rows:
        return
    from gantrain.drawing.trials import draw_trials

    search.folder.mkdir(parents=True, exist_ok=True)
    table, picture = search.folder / "trials.csv", search.folder / "tune.png"
    with replacing(table) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)
    names = dict(zip(search.space, shortened(list(search.space)), strict=True))
    hidden = ("error", "folder")
    shown = [{names.get(k, k): short(value) for k, value in row.items() if k not in hidden} for row in rows]
    if rows[0]["outcome"] == "done":
        shown[0]["trial"] += " *"
    print("\n" + "\n".join(aligned(shown)))
    with replacing(picture) as temporary:
        draw_trials(rows, list(search.space), score or "score").savefig(temporary, format="png", dpi=120)
    print(f"table    {table}\npicture  {picture}")
    if rows[0]["outcome"] == "done":
        print(f"best     gantrain report {rows[0]['folder']}", flush=True)


def short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
