"""Random single mutations of the module's Terraform, which `make test-terraform` must detect.

python -m tests.mutants [--seed N] [--count N]

Writes build/mutants.json and ends with 1 below the target. A second run with the same seed on the
same files continues where the first one stopped.
"""

import argparse
import contextlib
import datetime
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from local.emulator import ROOT
from local.terraform import CLI_CONFIG
from tests.mutants.sites import Site, all_sites, files
from tests.mutants.trial import TESTS, Selection, Tree, alike
from tests.support import provider

REPORT = ROOT / "build" / "mutants.json"
TARGET = 0.95
COUNT = 200
WORKERS = 2

WIRING = "wiring/wiring.tftest.hcl"
WIRING_TESTS = "wiring"  # the folder, whose tests share one run of Terraform
REFUSED_TEST = "refused/test_refused.py"
MODULES_TEST = "test_modules.py"
ROOT_TEST = "root.tftest.hcl"

Verdict = dict[str, str]  # outcome: invalid, killed, survived or equivalent; by: the first test


class Trials:
    """Verdicts by site, saved in the report as they come."""

    def __init__(self, seed: int, original: Tree, copies: list[Tree]) -> None:
        self.seed = seed
        self._fingerprint = fingerprint()
        self._original = original
        self._trees: SimpleQueue[Tree] = SimpleQueue()
        for tree in copies:
            self._trees.put(tree)
        self._plans: dict[str, Any] = {}
        self._planning = threading.Lock()
        self._writing = threading.Lock()
        self.verdicts = self._kept()

    def _kept(self) -> dict[str, Verdict]:
        if not REPORT.exists():
            return {}
        kept = json.loads(REPORT.read_text())
        same = (kept["seed"], kept["of"]) == (self.seed, self._fingerprint)
        return kept["verdicts"] if same else {}

    def run(self, sites: list[Site]) -> list[tuple[Site, Verdict]]:
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                return list(zip(sites, pool.map(self._verdict, sites), strict=True))
            except BaseException:  # Ctrl-C included: only wait for trials that have begun
                pool.shutdown(cancel_futures=True)
                raise

    def _verdict(self, site: Site) -> Verdict:
        if site.name in self.verdicts:
            return self.verdicts[site.name]
        tree = self._trees.get()
        try:
            with tree.mutated(site):
                verdict = self._tried(tree, site)
        finally:
            self._trees.put(tree)
        with self._writing:
            self.verdicts[site.name] = verdict
            self.write({})
        print(f"{verdict['outcome']:10} {site.name} {verdict.get('by', '')}".rstrip(), flush=True)
        return verdict

    def _tried(self, tree: Tree, site: Site) -> Verdict:
        if killer := tree.killed_by(tests_of(site)):
            valid = killer.has_planned or tree.is_valid()
            return {"outcome": "killed" if valid else "invalid", "by": killer.test}
        if site.kind == "depends_on" or not site.shows_in_a_plan:
            return {"outcome": "survived"}
        plans, again = self._original_plans(site.file)
        same = alike(plans, tree.plans(plans_of(site.file)), again)
        return {"outcome": "equivalent" if same else "survived"}

    def _original_plans(self, file: str) -> Any:
        module = module_of(file)
        with self._planning:
            if module not in self._plans:
                self._plans[module] = [self._original.plans(plans_of(file)) for _ in range(2)]
            return self._plans[module]

    def write(self, figures: dict[str, Any]) -> None:
        REPORT.parent.mkdir(exist_ok=True)
        report = {"seed": self.seed, "of": self._fingerprint, **figures, "verdicts": self.verdicts}
        REPORT.write_text(json.dumps(report, indent=2) + "\n")


def module_of(file: str) -> str:
    return Path(file).parent.name


def tests_of(site: Site) -> list[Selection]:
    """Returns the tests of `make test-terraform`, the most likely to detect the mutation first.

    Without test_documented.py and test_examples.py: they judge documents and examples by the
    module, and not the module.
    """
    likely = [*of_module(site.file), WIRING_TESTS, ROOT_TEST]
    first = [MODULES_TEST, *(likely if site.shows_in_a_plan else [REFUSED_TEST, *likely])]
    tests = [path.name for path in sorted((ROOT / TESTS).glob("*.tftest.hcl"))]
    there = [*tests, WIRING_TESTS, REFUSED_TEST]
    every = [Selection(name) for name in [*first, *(one for one in there if one not in first)]]
    if site.shows_in_a_plan or not site.input:
        return every
    return [Selection(REFUSED_TEST, site.input), *every]  # seconds instead of minutes


def plans_of(file: str) -> list[str]:
    return [*of_module(file), WIRING, ROOT_TEST]


def of_module(file: str) -> list[str]:
    module = module_of(file)
    return [f"{module}.tftest.hcl"] if module else []


def fingerprint() -> str:
    tests = (path for path in (ROOT / TESTS).rglob("*.*") if path.suffix in (".hcl", ".py"))
    content = b"".join(path.read_bytes() for path in (*files(ROOT), *sorted(tests)))
    return hashlib.sha256(content).hexdigest()


def sample(trials: Trials, sites: list[Site], count: int) -> list[tuple[Site, Verdict]]:
    """Tries sites in the seed's order until there are enough valid ones."""
    order = list(sites)
    random.Random(trials.seed).shuffle(order)
    valid: list[tuple[Site, Verdict]] = []
    while len(valid) < count and order:
        batch, order = order[: count - len(valid)], order[count - len(valid) :]
        valid += [one for one in trials.run(batch) if one[1]["outcome"] != "invalid"]
    return valid


def named(tried: list[tuple[Site, Verdict]], outcome: str) -> list[str]:
    return [site.name for site, verdict in tried if verdict["outcome"] == outcome]


def summary(sites: list[Site], tried: list[tuple[Site, Verdict]]) -> dict[str, Any]:
    killed, survivors = named(tried, "killed"), named(tried, "survived")
    return {
        "sites": len(sites),
        "tried": len(tried),
        "killed": len(killed),
        "equivalent": named(tried, "equivalent"),
        "survivors": survivors,
        "rate": round(len(killed) / max(1, len(killed) + len(survivors)), 4),
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    today = int(datetime.datetime.now(tz=datetime.UTC).strftime("%Y%m%d"))
    parser.add_argument(
        "--seed", type=int, default=today, help="of the sample; by default, today's date"
    )
    parser.add_argument(
        "--count", type=int, default=COUNT, help=f"valid mutants to try; by default {COUNT}"
    )
    options = parser.parse_args(arguments)

    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # otherwise the provider would outlive this process

    sites = all_sites(ROOT)
    with trees() as (original, *copies):
        if failed := original.killed_by(tests_of(sites[0])):
            print(
                f"✗ {failed.test} fails without a mutation. See make test-terraform.",
                file=sys.stderr,
            )
            return 2
        trials = Trials(options.seed, original, copies)
        tried = sample(trials, [one for one in sites if one.kind != "depends_on"], options.count)
        ordering = trials.run([one for one in sites if one.kind == "depends_on"])
    figures = summary(sites, tried)
    figures["depends_on"] = summary(sites, ordering)
    trials.write(figures)

    for survivor in figures["survivors"]:
        print(f"✗ survived: {survivor}")
    enough = figures["rate"] >= TARGET
    print(
        f"{'✓' if enough else '✗'} seed {options.seed}: {figures['killed']} of {figures['tried']}"
        f" mutants killed, {len(figures['equivalent'])} equivalent: {figures['rate']:.1%}, target"
        f" {TARGET:.0%}; depends_on: {figures['depends_on']['killed']} of {len(ordering)}"
    )
    return 0 if enough else 1


@contextlib.contextmanager
def trees() -> Iterator[list[Tree]]:
    """Yields a copy that stays unchanged, and one for each worker."""
    configuration = {"TF_CLI_CONFIG_FILE": str(CLI_CONFIG)}
    with tempfile.TemporaryDirectory() as directory, provider.attached() as attached:
        environment = {**os.environ, **configuration, **attached}
        names = ("original", *(f"worker-{number}" for number in range(WORKERS)))
        yield [Tree(Path(directory) / name, environment) for name in names]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
