"""The command `async-ingest`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click
from botocore.exceptions import BotoCoreError, ClientError

from async_ingest import errors
from async_ingest.commands.capacity import capacity
from async_ingest.commands.control import pause, resume, rollback
from async_ingest.commands.dlq import dlq
from async_ingest.commands.doctor import doctor
from async_ingest.commands.load import load
from async_ingest.commands.send import send
from async_ingest.commands.status import status
from async_ingest.commands.trace import trace
from async_ingest.errors import OpsError

EPILOG = """
\b
Exit codes:
  0    done
  1    it works, and something is wrong: doctor found it, or orders were refused or came back
  2    usage
  3    not everything is done: run the same command again
  4    AWS refuses or does not answer, or there is no such system
  130  interrupted: run the same command again
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="async-ingest")
def cli() -> None:
    """Operate a system of terraform-aws-async-ingest.

    Commands that change something say what they would do, until --yes is given; doctor writes and
    deletes an order of its own, unless --no-send is given. Which system: --name, --terraform, or
    the only one of the region.
    """


for command in (doctor, status, dlq, send, load, capacity, trace, pause, resume, rollback):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command. Returns its exit code; an error is one line on stderr."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        code = cli.main(arguments, prog_name="async-ingest", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("Interrupted. Run the same command again to continue.", file=sys.stderr)
        return errors.INTERRUPTED
    except OpsError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    except (BotoCoreError, ClientError) as error:
        print(f"Error: {errors.described(error)}", file=sys.stderr)
        return errors.FAILED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return code if isinstance(code, int) else 0
