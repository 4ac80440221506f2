"""The functions' packages, built by the root module: real Terraform, mocked AWS."""

import ast
import base64
import compileall
import contextlib
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from local.emulator import ROOT
from local.events import ENVIRONMENT
from tools import packages, setup
from tools.packages import MOCKS, RUN, Package

SOURCES = ROOT / "lambda_src"
RUN_WITH_HOOKS = f"""
mock_provider "aws" {{ source = "./{MOCKS}" }}

run "packages" {{
  command = plan
  variables {{ order_hooks = {{ source_dir = "hooks" }} }}
}}
"""
HOOKS = {
    "order_hooks/__init__.py": "def prepare(order): return order\n",
    "order_hooks/schema.json": '{"größer": 1}',
    "vendored.py": "",
}

# In Lambda's Python besides the standard library: boto3 and its dependencies ("Building Lambda
# functions with Python", runtime-included SDK versions).
RUNTIME = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}

IMPORT = """
import importlib, json, sys
handler, *sys.path[:0] = sys.argv[1:]
module, _, function = handler.rpartition(".")
assert callable(getattr(importlib.import_module(module), function))
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


class Machine(NamedTuple):
    """Differences between machines, which must not affect the packages."""

    directory: str
    umask: int
    mtime: int
    timezone: str
    last_file_first: bool

    def build(self, top: Path, run: str = RUN) -> dict[str, Package]:
        with self._umask():
            root = top / self.directory
            self._check_out(root)
            return packages.build(root, os.environ | {"TZ": self.timezone}, run)

    def _check_out(self, root: Path) -> None:
        patterns = ("*.tf", "modules/**/*.tf", f"{MOCKS}/*", "lambda_src/**/*.py")
        files = sorted(file for pattern in patterns for file in ROOT.glob(pattern))
        for number, file in enumerate(reversed(files) if self.last_file_first else files):
            copy = root / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
            os.utime(copy, (self.mtime + number, self.mtime + number))
        for name, text in HOOKS.items():
            (root / "hooks" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "hooks" / name).write_text(text)
        # Leftovers of a used checkout, which contain the name of the directory.
        compileall.compile_dir(root / "lambda_src", quiet=1)
        compileall.compile_dir(root / "hooks", quiet=1)
        for name in (".coverage", "order_hooks/.hidden", "order_hooks/__init__.py~"):
            (root / "hooks" / name).write_text(str(root))
        (root / "lambda_src" / "shared" / "orders.py~").write_text(str(root))

    @contextlib.contextmanager
    def _umask(self) -> Iterator[None]:
        before = os.umask(self.umask)
        try:
            yield
        finally:
            os.umask(before)


MACHINES = (
    Machine("a", 0o002, 1_000_000_000, "Pacific/Kiritimati", last_file_first=False),
    Machine("home/user name/söurce/b", 0o077, 1_700_000_000, "America/Lima", last_file_first=True),
)


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Package]]:
    setup.providers()
    top = tmp_path_factory.mktemp("machines")
    return [machine.build(top) for machine in MACHINES]


@pytest.fixture(scope="module")
def builds_with_hooks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Package]]:
    setup.providers()
    top = tmp_path_factory.mktemp("machines-with-hooks")
    return [machine.build(top, RUN_WITH_HOOKS) for machine in MACHINES]


@pytest.fixture(params=["ingest", "process"])
def package(builds: list[dict[str, Package]], request: pytest.FixtureRequest) -> Package:
    return builds[0][request.param]


def test_every_machine_builds_the_same_bytes(builds: list[dict[str, Package]]) -> None:
    for build in builds:
        assert build.keys() == {"ingest", "process"}
        for package in build.values():
            digest = hashlib.sha256(package.file.read_bytes()).digest()
            assert package.source_code_hash == base64.b64encode(digest).decode()

    one, other = (
        {name: package.source_code_hash for name, package in build.items()} for build in builds
    )
    assert one == other


def test_a_package_has_the_sources_and_nothing_else(
    builds: list[dict[str, Package]],
) -> None:
    for name, package in builds[0].items():
        files = sorted(file for part in (name, "shared") for file in (SOURCES / part).rglob("*.py"))
        with zipfile.ZipFile(package.file) as archive:
            entries = archive.infolist()
            contents = {entry.filename: archive.read(entry) for entry in entries}
        assert contents == {
            file.relative_to(SOURCES).as_posix(): file.read_bytes() for file in files
        }
        assert list(contents) == sorted(contents)
        assert {
            (entry.date_time, entry.external_attr, entry.create_system, entry.extra, entry.comment)
            for entry in entries
        } == {((1980, 0, 0, 0, 0, 0), 0, 0, b"", b"")}
        assert archive.comment == b""


def test_a_package_with_hooks_has_them_and_what_runs_them(
    builds: list[dict[str, Package]], builds_with_hooks: list[dict[str, Package]]
) -> None:
    one, other = builds_with_hooks
    for name, package in one.items():
        assert package.source_code_hash == other[name].source_code_hash
        with zipfile.ZipFile(package.file) as archive:
            contents = {entry: archive.read(entry) for entry in archive.namelist()}
        with zipfile.ZipFile(builds[0][name].file) as archive:
            usual = {entry: archive.read(entry) for entry in archive.namelist()}
        hooks = {entry: text.encode() for entry, text in HOOKS.items()}
        runs_them = {
            file.relative_to(SOURCES).as_posix(): file.read_bytes()
            for file in (SOURCES / "async_ingest_hooks").glob("*.py")
        }
        assert contents == usual | runs_them | hooks


def test_the_sources_import_only_what_lambda_has(package: Package) -> None:
    with zipfile.ZipFile(package.file) as archive:
        own = {name.partition("/")[0] for name in archive.namelist()}
        # async_ingest_hooks comes with order_hooks, and is imported only then.
        allowed = sys.stdlib_module_names | {"async_ingest_hooks", "botocore"} | own
        for name in archive.namelist():
            assert imports(archive.read(name)) <= allowed, name


def imports(source: bytes) -> set[str]:
    """Returns the top-level packages that the source imports anywhere."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            modules.add(node.module)
    return {module.partition(".")[0] for module in modules}


def test_the_handler_starts_with_only_what_lambda_has(package: Package, tmp_path: Path) -> None:
    task, runtime = tmp_path / "task", tmp_path / "runtime"
    with zipfile.ZipFile(package.file) as archive:
        archive.extractall(task)
    runtime.mkdir()
    for name in RUNTIME:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        origin = Path(spec.origin or "")
        source = origin.parent if origin.name == "__init__.py" else origin
        (runtime / source.name).symlink_to(source)

    # Neither environment nor site-packages.
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORT, package.handler, task, runtime],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    assert result.returncode == 0, result.stdout
    loaded = set(json.loads(result.stdout)) - sys.stdlib_module_names - {"__main__"}
    own = {entry.name for entry in task.iterdir() if entry.name != "__pycache__"}
    assert loaded == own
