"""The records of a run: only whole ones are read."""

import json

from gantrain.run.metrics import is_number, read_records

WHOLE = {"stage": "train", "iteration": 2, "images_seen": 16, "seconds": 0.5, "values": {"adv": 1.0}}


def test_only_whole_records_are_read(tmp_path):
    file = tmp_path / "metrics.jsonl"
    assert read_records(file) == []
    damaged = [
        *({**WHOLE, key: "x"} for key in ("iteration", "images_seen", "seconds", "values")),
        {**WHOLE, "stage": 3},
        {**WHOLE, "iteration": 10**400},
        {key: value for key, value in WHOLE.items() if key != "stage"},
        *([], 3, None),
    ]
    lines = [json.dumps(WHOLE), *map(json.dumps, damaged), "[" * 100_000, json.dumps(WHOLE), '{"stage": "tr']
    file.write_text("\n".join(lines))
    assert read_records(file) == [WHOLE, WHOLE]


def test_numbers_can_be_drawn():
    assert all(map(is_number, (0, -1.5, 10**30)))
    assert not any(map(is_number, (float("nan"), float("inf"), 10**400, "1", None)))
