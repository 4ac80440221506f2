"""The command line."""

import json
from html import escape
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from async_ingest import main
from async_ingest.capacity import cost


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main.cli, ["capacity", *arguments])


def test_one_screen() -> None:
    result = run("--rate", "100", "--for", "1m")
    assert result.exit_code == 0, result.output
    for text in ("Freshness", "USD a month", "Breaks first", "process_batch_size = 100", "Assumed"):
        assert text in result.output


def test_json_has_everything() -> None:
    result = run("--rate", "100", "--for", "1m", "--burst", "10:5:1000", "--json", "--no-advice")
    document = json.loads(result.output)
    assert document["requests"]["accepted"] == pytest.approx(55 * 100 + 5 * 1000, rel=0.01)
    assert document["monthly_usd"]["total"] > 0
    assert document["advice"] is None
    for assumption in ("put_seconds = 0.006", "ingest_snap_start_enabled", "exists already"):
        assert any(assumption in one for one in document["assumptions"])
    series = document["series"]
    assert {len(values) for values in series.values()} == {len(series["seconds"])}
    assert max(series["arrived_per_second"]) == pytest.approx(1000)


def test_the_report_has_the_plots_and_what_to_change(tmp_path: Path) -> None:
    result = run("--rate", "100", "--for", "1m", "--json", "--output", str(tmp_path))
    document = json.loads(result.stdout)
    assert json.loads((tmp_path / "capacity.json").read_text()) == document
    page = (tmp_path / "capacity.html").read_text()
    assert page.count("<svg") == 4
    assert f"{document['monthly_usd']['total']:,.2f}" in page
    assert "process_batch_size = 100" in page
    for assumption in document["assumptions"]:
        assert escape(assumption) in page


def test_settings_prices_and_calibration(tmp_path: Path) -> None:
    prices, calibration = tmp_path / "prices.json", tmp_path / "calibration.json"
    ours = json.loads(Path(cost.__file__).with_name("prices.json").read_text())
    ours["prices"]["write_unit"]["usd"] = 1
    prices.write_text(json.dumps(ours))
    calibration.write_text('{"process_seconds_per_batch": 2}')
    chosen = ("--prices", str(prices), "--calibration", str(calibration))
    result = run(
        "--rate=1", "--for=1m", "--json", "--no-advice", *chosen,
        "--set", "process_batch_size=1", "--set", "process_maximum_concurrency=2",
    )  # fmt: skip
    document = json.loads(result.output)
    assert document["monthly_usd"]["table writes"] == pytest.approx(cost.HOURS * 3600)
    assert document["freshness"]["p50"] > 1
    assert document["process_concurrency"] == pytest.approx(2)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--rate", "0"),
        ("--rate", "1", "--burst", "10:5"),
        ("--rate", "1", "--known", "2"),
        ("--rate", "1", "--plan", "absent.json"),
    ],
)
def test_usage(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_wrong_setting_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["capacity", "--rate", "1", "--set", "x=1"]) == 4
    assert "There is no setting x" in capsys.readouterr().err
