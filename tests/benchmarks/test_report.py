"""The JSON line holds what every benchmark promises; the table ranks ours among the peers."""

import json

from storewise.benchmarks.report import Clock, Report, Task


def _task(ours: float, lower: bool = False) -> Task:
    return Task(10, "RMSE", ours, {"a": 1.0, "b": 2.0}, (-0.5, 0.123456789), lower, {"more": {"x": 0.1}})


def test_the_line_has_the_first_task_on_top_and_the_others_below() -> None:
    line = Report("value", {"one": _task(1.5), "two": _task(0.5)}, {"train": 1.0}).line()
    assert "\n" not in line
    values = json.loads(line)
    assert {"benchmark", "n", "metric", "ours", "peers", "interval", "seconds"} <= values.keys()
    assert values["task"] == "one" and values["ours"] == 1.5 and values["more"] == {"x": 0.1}
    assert values["interval"] == [-0.5, 0.12346]
    assert values["tasks"]["two"]["ours"] == 0.5 and "one" not in values["tasks"]


def test_the_best_peer_of_an_error_is_the_lowest() -> None:
    assert _task(1.5, lower=True).best_peer == "a"
    assert _task(1.5).best_peer == "b"


def test_the_table_begins_with_the_best_method() -> None:
    rows = list(Report("value", {"one": _task(1.5, lower=True)}, {}).rows())
    assert [row[1] for row in rows] == ["a", "ours", "b"]
    assert rows[0][0].startswith("one") and "difference to a" in rows[1][3] and not rows[2][3]


def test_seconds_of_a_step_add_up_and_are_said() -> None:
    said: list[str] = []
    clock = Clock(said.append)
    for _ in range(2):
        with clock.step("train"):
            pass
    assert said == ["train", "train"] and list(clock.seconds) == ["train"]
