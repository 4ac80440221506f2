"""What a run has done so far, on disk before the next step, so that a killed run can go on.

A journal is a file of JSON lines, each flushed to the disk. A line that a killed run has not
finished is dropped. The messages themselves are in the export beside it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Self

from async_ingest.errors import OpsError

try:
    import fcntl
except ImportError:  # Windows: then nobody sees a second run of the same machine
    fcntl = None  # type: ignore[assignment]


class Lines:
    """A file that JSON lines are appended to, each on the disk when `append` returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Orders may be personal data: nobody else reads them.
        self._file: IO[bytes] = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        self._cut_torn_line()

    def append(self, *documents: Mapping[str, Any]) -> None:
        self._file.write(b"".join(json.dumps(one).encode() + b"\n" for one in documents))
        self._file.flush()
        os.fsync(self._file.fileno())

    def lock(self) -> None:
        """Raises OpsError if another process has it."""
        if fcntl:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OpsError(
                    "Another run on this machine is moving these dead letters."
                ) from None

    def read(self) -> Iterator[dict[str, Any]]:
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)
        self._file.seek(0, os.SEEK_END)

    def clear(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def _cut_torn_line(self) -> None:
        end = self._file.seek(0, os.SEEK_END)
        size = end
        while size:  # backwards, a block at a time, to the last end of a line
            start = max(0, size - 65536)
            self._file.seek(start)
            found = self._file.read(size - start).rfind(b"\n")
            if found >= 0:
                size = start + found + 1
                break
            size = start
        if size < end:
            self._file.truncate(size)
        self._file.seek(size)


class Journal:
    """The journal and the export of one run, or of several that continue each other.

    Attributes:
        begun: What the first run was told, as `begin` recorded it; empty if there was none.
        outstanding: Receipt handles by message id, of messages that were neither deleted nor
            released.
        sent: Ids of messages that SQS has confirmed on the destination, with their new ids.
        originals: Ids by which `sent` messages are recognized when they come back.
        deleted: Ids of messages that are gone from the dead-letter queue.
        exported: Ids of the messages in the export.
    """

    begun: dict[str, Any]
    outstanding: dict[str, str]
    sent: dict[str, str]
    originals: set[str]
    deleted: set[str]

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "journal.jsonl"
        self._lines = Lines(self._path)
        self._lines.lock()
        self.exported: set[str] = set()
        self._export: Lines | None = None
        self._forget()
        for record in self._lines.read():
            self._take(record)
        if self.begun:
            self._open_export()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        if self._export:
            self._export.close()

    @property
    def export_path(self) -> Path:
        return Path(self.begun["export"])

    def begin(
        self,
        action: str,
        selection: Mapping[str, Any],
        before_ms: int,
        export: Path | None = None,
        purpose: str | None = None,
    ) -> None:
        """Records what the run is to do.

        Args:
            action: What is done with the messages.
            selection: Of which.
            before_ms: Messages that were enqueued later are not part of it.
            export: A file to append to, instead of a new one.
            purpose: What the action is done for, if not for itself.
        """
        self._forget()
        stamp = time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime())
        name = f"{stamp}-{action}-{os.getpid()}.jsonl"
        self._record(
            begin=action,
            purpose=purpose or action,
            selection=dict(selection),
            before_ms=before_ms,
            export=str(export or self._directory / name),
        )
        self._open_export()

    def received(self, handles: Mapping[str, str]) -> None:
        self._record(received=dict(handles))

    def export(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Writes messages to the export, those that are not there yet."""
        new = [one for one in documents if one["message_id"] not in self.exported]
        if new and self._export:
            self._export.append(*new)
            self.exported.update(one["message_id"] for one in new)

    def was_sent(self, ids: Mapping[str, str], originals: Iterable[str]) -> None:
        self._record(sent=dict(ids), originals=list(originals))

    def was_deleted(self, ids: Iterable[str]) -> None:
        self._record(deleted=list(ids))

    def was_released(self, ids: Iterable[str]) -> None:
        self._record(released=list(ids))

    def end(self) -> None:
        """Empties the journal. The export stays, if anything was exported."""
        self._lines.clear()
        if not self.exported:
            self.export_path.unlink(missing_ok=True)

    def _record(self, **record: Any) -> None:
        self._lines.append(record)
        self._take(record)

    def _take(self, record: Mapping[str, Any]) -> None:
        if "begin" in record:
            self.begun = dict(record)
        self.outstanding.update(record.get("received", {}))
        self.sent.update(record.get("sent", {}))
        self.originals.update(record.get("originals", ()))
        self.deleted.update(record.get("deleted", ()))
        for message_id in (*record.get("deleted", ()), *record.get("released", ())):
            self.outstanding.pop(message_id, None)

    def _forget(self) -> None:
        self.begun = {}
        self.outstanding = {}
        self.sent = {}
        self.originals = set()
        self.deleted = set()

    def _open_export(self) -> None:
        if self._export:
            self._export.close()
        self._export = Lines(self.export_path)
        self.exported = {one["message_id"] for one in self._export.read()}


def state_directory() -> Path:
    """Returns where exports and journals are kept unless a directory is given."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "async-ingest"
