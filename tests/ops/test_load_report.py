"""The reports of a load: consistent, and in need of nothing else."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_ingest.charts import Axis, Series, line_chart
from async_ingest.html_report import Report
from async_ingest.load import latency, processes
from async_ingest.load.latency import Latencies
from async_ingest.main import main
from tests.ops.answering import answering
from tests.support.properties import examples

VOID = {"meta"}


class Checked(HTMLParser):
    """Every element is closed, and none loads anything."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self._open: list[str] = []
        self.texts: list[str] = []
        self.feed(document)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "link", "img", "iframe", "object", "use", "image"}
        assert not {name for name, _ in attrs} & {"src", "href", "xlink:href", "onload"}
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def assert_self_contained(document: str) -> Checked:
    assert not re.search(r"https?://(?!127\.0\.0\.1)|@import|url\(", document)
    return Checked(document)


def test_a_load_writes_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(lambda body: 400 if b":3:0" in body else 202) as url:
        target = ("--url", url, "--no-check", "--output", str(tmp_path))
        returned = main(["load", *target, "--rate", "40", "--for", "1s", "--poisson"])

    summary = capsys.readouterr().out
    document = json.loads((tmp_path / "load.json").read_text())
    page = assert_self_contained((tmp_path / "load.html").read_text())
    assert returned == 1  # an order was refused
    assert document["orders"]["refused"] == 1
    assert document["statuses"] == {"202": document["requests"]["accepted"], "400": 1}
    assert sum(one["due"] for one in document["by_second"]) == document["requests"]["scheduled"]
    assert f"{document['orders']['accepted']} accepted, 1 refused" in summary
    assert summary.split("\n")[0] + "." in "".join(page.texts)
    assert Latencies.read(document["latency_ms"]["hdr"]).ms(100) == document["latency_ms"]["max"]


def test_what_a_report_is_given_is_text(tmp_path: Path) -> None:
    evil = "<script>alert('&')</script>"
    report = Report(evil, evil, [(evil, evil)], evil)
    section = report.section(evil, evil)
    section.table([evil, "n"], [(evil, 1)])
    section.plot(line_chart(evil, Axis(evil), Axis(evil), [Series(evil, [(0, 1), (1, 2)])] * 2))

    page = assert_self_contained(report.render())

    assert page.texts.count(evil) >= 10


VALUES = st.just(0.0) | st.floats(1e-3, 1e9)


@given(st.lists(st.tuples(VALUES, VALUES), max_size=2000), st.booleans(), st.booleans())
@examples(50)
def test_a_chart_is_within_its_frame(
    points: list[tuple[float, float]], x_is_log: bool, y_is_log: bool
) -> None:
    series = [Series("a", sorted(points), is_area=True)]
    svg = line_chart("t", Axis("x", is_log=x_is_log), Axis("y", is_log=y_is_log), series)

    root = ElementTree.fromstring(svg)  # noqa: S314 - it is ours
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for line in root.iter("polyline"):
        places = [tuple(map(float, one.split(","))) for one in line.attrib["points"].split()]
        assert len(places) <= 600
        assert all(0 <= x <= width and 0 <= y <= height for x, y in places)
    assert len(list(root.iter("text"))) < 60


@given(st.lists(st.floats(1e-6, 3600), min_size=1, max_size=300))
@examples(50)
def test_percentiles_are_exact_to_three_digits(seconds: list[float]) -> None:
    ordered = sorted(seconds)
    found = Latencies(seconds)

    assert found.ms(100) == pytest.approx(1000 * ordered[-1], rel=2e-3, abs=1e-3)
    median = ordered[(len(ordered) + 1) // 2 - 1]
    assert found.ms(50) == pytest.approx(1000 * median, rel=2e-3, abs=1e-3)


def test_without_the_library_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(latency, "HdrHistogram", None)
    monkeypatch.setattr(processes, "run", lambda *_: pytest.fail("it sends"))

    assert main(["load", "--url", "http://127.0.0.1:9/x", "--no-check"]) == 2
    assert "pipx inject async-ingest hdrhistogram" in capsys.readouterr().err
