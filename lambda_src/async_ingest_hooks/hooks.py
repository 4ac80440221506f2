"""Runs a hook: on a copy of each order, within a time budget, and without trusting what it does.

A hook is a function of the team's package: ``accept(order, request)`` in ingest, ``prepare(order)``
in process. It returns the order or raises :class:`async_ingest_hooks.Refused`. Anything else
(another exception, SystemExit and MemoryError included, another result, no time left) is a
:class:`HookError`, after which the request or the message may be tried again.

**Time.** Only Python code in the main thread can be stopped. That is where Lambda's runtime calls
functions (aws/aws-lambda-python-runtime-interface-client, awslambdaric/bootstrap.py). It is stopped
by SIGALRM, whose handler raises an exception there, again until the hook ends, because the hook may
catch it. A hook that catches it for GRACE_SECONDS, or that has used as much CPU time more than its
budget because it loops inside C, ends the process by SIGPROF, after a traceback that says where.
Lambda then starts another process; the request or the batch counts as failed.

**Output.** While a hook runs, print goes nowhere: it could log an order, or break the line of
metrics.
"""

import faulthandler
import importlib
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType, MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from async_ingest_hooks import Refused, Request
from async_ingest_hooks.values import NotAnOrderError, from_hook, to_hook
from shared import orders, telemetry

IMPORT_SECONDS = 5.0  # of the 10 that Lambda gives a function to start ("Lambda quotas")
RETRY_SECONDS = 30.0  # until a failed import is tried again: a snapshot may keep the failure
AGAIN_SECONDS = 0.1
UNCOUNTED_SECONDS = 0.01  # of copying, until the timers are set anew
GRACE_SECONDS = 1.0
SHOWN_REASON = 200  # characters; a dead letter's failure_reason has 256, other words included

HOOKS = ("accept", "prepare")
MTLS_PREFIX = "x-amzn-mtls-"  # "Mutual authentication with TLS in Application Load Balancer"
STDERR = 2  # its file descriptor, whatever sys.stderr is


class _Nowhere(io.TextIOWrapper):
    """What a hook prints to. It remains open even if the hook closes it."""

    def close(self) -> None:
        pass


_NOWHERE = _Nowhere(io.FileIO(os.devnull, "w"), encoding="utf-8", errors="replace")


class HookError(Exception):
    """The hook has failed; the same order may succeed another time.

    Attributes:
        details: What a log line says about it, nothing of which is from the order.
    """

    def __init__(self, details: Mapping[str, str]) -> None:
        super().__init__(details["error"])
        self.details = dict(details)


class _StopError(BaseException):
    """Raised in a hook whose time is over; not an Exception, which hooks may well catch."""


class _Budget:
    """The time of code of the team's. What is ours in between, the copies, is not counted."""

    def __init__(self, seconds: float, until: float = float("inf")) -> None:
        """Begins now.

        Args:
            seconds: That it may take.
            until: When it must end in any case, copies included.
        """
        self._seconds = seconds
        self._until = until
        self._started = time.monotonic()
        self._ours = self._uncounted = 0.0

    @property
    def taken(self) -> float:
        return time.monotonic() - self._started - self._ours

    @property
    def left(self) -> float:
        return min(self._seconds - self.taken, self._until - time.monotonic())

    def set_timers(self) -> None:
        seconds = max(self.left, 0.001)  # 0 would switch them off
        signal.setitimer(signal.ITIMER_PROF, seconds + GRACE_SECONDS)
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)

    def ours(self, function: Callable[[Any], Any], value: object) -> Any:
        """Calls a function that is not counted, and that nothing stops."""
        started = time.monotonic()
        result = function(value)
        seconds = time.monotonic() - started
        self._ours += seconds
        self._uncounted += seconds
        if self._uncounted > UNCOUNTED_SECONDS:
            self._uncounted = 0.0
            self.set_timers()
        return result


class Hook:
    """One of the two hooks, and how long it took."""

    def __init__(self, package: str, name: str, timeout_seconds: float) -> None:
        """Imports the package; if that fails, every run says so, until a later attempt succeeds.

        Args:
            package: Name of the package.
            name: Of the function in it, which may be absent if the other hook is there.
            timeout_seconds: The time budget of a run.
        """
        self._package = package
        self._name = name
        self._timeout_seconds = timeout_seconds
        self._milliseconds: list[int] = []
        self._function: Callable[..., Any] | None = None
        self._failure: dict[str, str] | None = None
        self._failed_at = 0.0
        faulthandler.register(signal.SIGPROF, file=STDERR, all_threads=False, chain=True)
        self._import(IMPORT_SECONDS)

    def run(
        self,
        document: orders.Document,
        schema: orders.Schema,
        seconds: float,
        told: Callable[[], object] | None = None,
        measured: Callable[[orders.Value], object] | None = None,
    ) -> orders.Document:
        """Calls the hook for each order of a document.

        Args:
            document: Remains as it is.
            schema: Of the orders, those that the hook returns too.
            seconds: Time left for hooks and the copies. The budget applies as well, to what hooks
                themselves take for all orders together.
            told: Returns the hook's second argument, if it has one; only called where the hook is.
            measured: Called with orders that cannot be stored; raises if it is for their size.

        Returns:
            A document of the orders that it returned.

        Raises:
            InvalidDocumentError: The hook refuses an order, or returned one that cannot be stored.
            HookError: It did neither.
        """
        if self._failure and time.monotonic() - self._failed_at >= RETRY_SECONDS:
            self._import(seconds)
        if self._failure:
            raise HookError(self._failure)
        if self._function is None:
            return document
        more = (told(),) if told else ()
        budget = _Budget(self._timeout_seconds, time.monotonic() + seconds)
        try:
            results, faults = self._within(budget, self._each, document.orders, more, budget)
        finally:
            self._milliseconds.append(round(budget.taken * 1000))
        if faults:
            raise orders.InvalidDocumentError(
                faults[: orders.MAX_FAULTS], logged=self._logged(faults[0])
            )
        value = results if type(document.value) is list else results[0]
        try:
            return orders.check(value, schema)
        except orders.InvalidDocumentError as error:
            faults = [one._replace(detail=f"{one.detail}, after {self}") for one in error.faults]
        if measured:
            measured(value)
        raise orders.InvalidDocumentError(faults)

    def request(
        self,
        event: Mapping[str, Any],
        headers: Mapping[str, list[str]],
        ids: Mapping[str, str],
        accepted_at: int,
        client_subject: str | None = None,
    ) -> Request:
        """Returns what ``accept`` is told of a request, from the load balancer's event.

        Without a verified client certificate, headers that would tell of one are the client's own
        invention, and left out.
        """
        shown = {
            name: ", ".join(each)
            for name, each in headers.items()
            if client_subject or not name.startswith(MTLS_PREFIX)
        }
        query: dict[str, str] = {}
        given = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters")
        for name, value in given.items() if isinstance(given, dict) else ():
            last = value[-1] if isinstance(value, list) and value else value
            # The load balancer passes them on as they are: "Lambda functions as targets".
            query |= parse_qsl(f"{name}={last}", keep_blank_values=True)
        return Request(
            method=str(event.get("httpMethod")),
            path=str(event.get("path")),
            headers=MappingProxyType(shown),
            query=MappingProxyType(query),
            client_certificate_subject=client_subject,
            request_id=ids["request_id"],
            trace_id=ids["trace_id"],
            accepted_at=accepted_at,
        )

    def metrics(self) -> dict[str, list[int]]:
        """Returns how many milliseconds each run took since the last call, none without a run."""
        taken, self._milliseconds = self._milliseconds, []
        return {"HookDuration": telemetry.thin_out(taken)} if taken else {}

    def __str__(self) -> str:
        return f"{self._package}.{self._name}"

    def _each(
        self, given: list[dict[str, Any]], more: tuple[object, ...], budget: _Budget
    ) -> tuple[list[dict[str, Any]], list[orders.Fault]]:
        """Calls the hook for each order; returns its orders, and what it refuses."""
        function: Any = self._function
        results: list[dict[str, Any]] = []
        faults: list[orders.Fault] = []
        for position, order in enumerate(given):
            try:
                result = function(budget.ours(to_hook, order), *more)
            except Refused as refused:
                faults += self._faults(position, refused)
                if len(faults) >= orders.MAX_FAULTS:
                    break
            else:
                results.append(budget.ours(self._order, result))
        return results, faults

    def _import(self, seconds: float) -> None:
        self._failure = None
        try:
            budget = _Budget(min(seconds, IMPORT_SECONDS))
            module = self._within(budget, importlib.import_module, self._package)
            found = [getattr(module, name, None) for name in HOOKS]
            if not any(map(callable, found)):
                raise HookError({"hook": str(self), "error": "NoHook", "at": self._package})
        except HookError as error:
            self._failure, self._failed_at = error.details, time.monotonic()
        else:
            function = found[HOOKS.index(self._name)]
            self._function = function if callable(function) else None

    def _within(self, budget: _Budget, function: Callable[..., Any], *arguments: object) -> Any:
        """Calls a function that runs code of the team's.

        Raises:
            HookError: Whatever it raised, or its time is over.
        """
        if budget.left <= 0:
            raise HookError({"hook": str(self), "error": "NoTime", "at": str(self)})
        result = None
        details: dict[str, str] = {}
        output = sys.stdout, sys.stderr
        _stops.clear()
        try:
            if signal.getsignal(signal.SIGALRM) is not _stop:  # a hook may set it
                signal.signal(signal.SIGALRM, _stop)
            sys.stdout = sys.stderr = _NOWHERE
            budget.set_timers()
            result = _call(function, arguments)
        except BaseException as error:
            details = self._describe(error)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)
            sys.stdout, sys.stderr = output
        if not details and budget.left < 0:
            # It may have caught the exception that stops it, and made a refusal of it.
            details = {"hook": str(self), "error": "HookTimeout", "at": str(self)}
        # Not within the except clause: the exception has the hook's frames, and so its memory.
        if details:
            raise HookError(details)
        return result

    def _describe(self, error: BaseException) -> dict[str, str]:
        """Returns type and place of an exception: the innermost line of the team's package.

        If none is there, the innermost of all.
        """
        if isinstance(error, HookError):
            return error.details
        kind = "HookTimeout" if isinstance(error, _StopError) else type(error).__name__
        details = {"hook": str(self), "error": kind, "at": str(self)}
        is_own, function = False, "<module>"
        trace = error.__traceback__
        while trace:
            module = str(trace.tb_frame.f_globals.get("__name__"))
            inside = module.partition(".")[0] == self._package
            if inside or not is_own:
                code = trace.tb_frame.f_code
                place = f"{_file(code.co_filename, module)}:{trace.tb_lineno}"
                details["at"] = f"{place} in {code.co_name}"
            if inside:
                is_own, function = True, code.co_name
            trace = trace.tb_next
        if function == "<module>" and isinstance(error, SyntaxError):
            details["at"] = f"{_file(str(error.filename), self._package)}:{error.lineno}"
        if function == "<module>" and isinstance(error, ModuleNotFoundError):
            details["missing"] = str(error.name)
        return details

    def _order(self, result: object) -> dict[str, Any]:
        """Returns a hook's result as an order of ours.

        Raises:
            HookError: It is none.
        """
        try:
            return from_hook(result)
        except NotAnOrderError as error:
            details = {"error": "NotAnOrder", "returned": error.type_name}
        except (RecursionError, RuntimeError, ValueError) as error:
            # Endless, changed by a thread meanwhile, or an int that Python does not write out.
            details = {"error": "NotAnOrder", "returned": type(error).__name__}
        raise HookError({"hook": str(self), "at": str(self), **details})

    def _faults(self, position: int, refused: Refused) -> list[orders.Fault]:
        """Returns what a hook gave as reasons, however odd.

        Raises:
            HookError: It gave something else.
        """
        try:
            return [
                orders.Fault(position, attribute and _shown(attribute), _shown(reason))
                for reason, attribute in refused.faults[: orders.MAX_FAULTS]
            ]
        except Exception:
            details = {"hook": str(self), "error": "NoReason", "at": str(self)}
        raise HookError(details)

    def _logged(self, fault: orders.Fault) -> str:
        """Returns a fault without its reason, which may quote the order."""
        return str(fault._replace(detail=f"is refused by {self}"))


def _call(function: Callable[..., Any], arguments: tuple[object, ...]) -> Any:
    """Calls a function. Only below this frame does _stop raise anything, and not in copies."""
    return function(*arguments)


_stops: list[float] = []  # when the running hook was stopped


def _stop(_: int, frame: FrameType | None) -> None:
    while frame is not None and frame.f_code is not _call.__code__:
        frame = None if frame.f_code is _Budget.ours.__code__ else frame.f_back
    if frame is None:
        return
    _stops.append(time.monotonic())
    if _stops[-1] - _stops[0] > GRACE_SECONDS:
        signal.raise_signal(signal.SIGPROF)
    raise _StopError


def _file(path: str, module: str) -> str:
    """Returns a module's file as in the package, such as "order_hooks/checks.py"."""
    parts = path.split("/")
    count = module.count(".") + (2 if parts[-1] == "__init__.py" else 1)
    return "/".join(parts[-count:]) if path.endswith(".py") else module


def _shown(text: str) -> str:
    """Returns a text on one line, of characters that a log and a message attribute take."""
    printable = "".join([one if one.isprintable() else " " for one in text[:SHOWN_REASON]])
    return printable.strip() or "is refused"
