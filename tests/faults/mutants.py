"""Mistakes that real handlers of this kind have had, and the scenarios that must turn red."""

from typing import NamedTuple

from tests.support.mutation import Mutation

INGEST = "ingest/handler.py"
PROCESS = "process/handler.py"
MESSAGES = "process/messages.py"
WRITER = "process/writer.py"
VERSIONS = "process/versions.py"
SETTLEMENT = "process/settlement.py"
DEAD_LETTERS = "process/dead_letters.py"


class Mutant(NamedTuple):
    mistake: str
    scenarios: tuple[str, ...]  # each must detect it
    mutations: tuple[Mutation, ...]


MUTANTS = {
    "drops_the_return": Mutant(
        "process does not return its response, which tells Lambda that all messages succeeded.",
        ("dynamodb_all_throttled_for_a_while",),
        (
            Mutation(
                PROCESS,
                'return {"batchItemFailures": [{"itemIdentifier"',
                '{"batchItemFailures": [{"itemIdentifier"',
            ),
        ),
    ),
    "swallows_an_exception": Mutant(
        "process logs an exception of the bulk write and counts the orders as written.",
        ("dynamodb_all_throttled_for_a_while",),
        (
            Mutation(
                WRITER,
                "return [_code_of_each(error)] * len(statements)",
                'return [""] * len(statements)',
            ),
        ),
    ),
    "reports_no_failures": Mutant(
        "process always reports that no message has failed.",
        ("dynamodb_some_statements_failed",),
        (Mutation(PROCESS, "failed = dict.fromkeys(settlement.failed)", "failed = ()"),),
    ),
    "ignores_errors_of_statements": Mutant(
        "process ignores the errors of single statements in a successful call.",
        ("dynamodb_some_statements_failed",),
        (
            Mutation(
                WRITER,
                "_OUTCOMES.get(code, Outcome.TRANSIENT_FAILURE)",
                "_OUTCOMES.get(code, Outcome.WRITTEN)",
            ),
        ),
    ),
    "takes_transient_failures_for_permanent_ones": Mutant(
        "process dead-letters transient failures at once.",
        ("dynamodb_some_statements_failed",),
        (
            Mutation(
                WRITER,
                "_OUTCOMES.get(code, Outcome.TRANSIENT_FAILURE)",
                "_OUTCOMES.get(code, Outcome.PERMANENT_FAILURE)",
            ),
        ),
    ),
    "sends_before_it_validates": Mutant(
        "ingest sends the body to the queue before it validates it.",
        ("sqs_throttled",),
        (
            Mutation(
                INGEST,
                "    text = _text(request)\n",
                "    text = _text(request)\n    _send(text, accepted_at, ids, deadline)\n",
            ),
        ),
    ),
    "answers_before_it_sends": Mutant(
        "ingest answers 202 while a thread is still sending.",
        ("sqs_throttled",),
        (
            Mutation(
                INGEST,
                "    return _send(body, accepted_at, ids, deadline, group), len(document.orders)",
                "    import threading\n"
                "    arguments = (body, accepted_at, ids, deadline, group)\n"
                "    threading.Thread(target=_send, args=arguments).start()\n"
                '    return "sent", len(document.orders)',
            ),
        ),
    ),
    "takes_any_answer_for_a_confirmation": Mutant(
        "ingest answers 202 although the send has failed.",
        ("sqs_access_denied", "sqs_reset"),
        (Mutation(INGEST, "extra = error.details | ids", 'return "unknown"'),),
    ),
    "compares_accepted_at_the_wrong_way_round": Mutant(
        "The older of two orders wins.",
        ("delivery_in_reverse_order", "one_key_rewritten_in_a_burst"),
        (
            Mutation(
                WRITER, ':"NOT #accepted_at >= :accepted_at"', ':"NOT #accepted_at <= :accepted_at"'
            ),
        ),
    ),
    "compares_versions_the_wrong_way_round": Mutant(
        "The lower of two versions wins.",
        ("versions_out_of_order",),
        (Mutation(VERSIONS, '"NOT (#version > :version', '"NOT (#version < :version'),),
    ),
    "lets_the_latest_of_equal_versions_win": Mutant(
        "Of equal versions, the one that was accepted last stays: a replay replaces the order.",
        ("versions_out_of_order",),
        (
            Mutation(VERSIONS, "#accepted_at <= :accepted_at", "#accepted_at >= :accepted_at"),
            Mutation(VERSIONS, "-entry.accepted_at)", "entry.accepted_at)"),
        ),
    ),
    "keeps_whatever_is_stored": Mutant(
        "process takes an existing key for a duplicate of the order.",
        ("dynamodb_some_statements_failed",),
        (Mutation(WRITER, '"DuplicateItem": None,', '"DuplicateItem": Outcome.SUPERSEDED,'),),
    ),
    "takes_the_time_of_the_message": Mutant(
        "Orders are compared by SentTimestamp, which a redrive renews.",
        ("redrive_after_the_cause_is_gone",),
        (
            Mutation(
                MESSAGES,
                "if isinstance(given, str) and _MICROSECONDS.fullmatch(given):",
                'if given == "":',
            ),
        ),
    ),
    "deduplicates_by_message_id": Mutant(
        "process skips messages that it has seen before, whatever became of them.",
        ("dynamodb_all_throttled_for_a_while",),
        (
            Mutation(
                PROCESS,
                "        for group in reader.groups(records, MAX_RECEIVE_COUNT):",
                '        records = [r for r in records if r["messageId"] not in SEEN]\n'
                '        SEEN.update(r["messageId"] for r in records)\n'
                "        for group in reader.groups(records, MAX_RECEIVE_COUNT):",
            ),
            Mutation(
                PROCESS,
                'LOG = telemetry.logger(settings.text("LOG_LEVEL"))',
                "LOG, SEEN = telemetry.logger('INFO'), set()",
            ),
        ),
    ),
    "drops_dead_letters_that_fail": Mutant(
        "A permanent failure counts as dead-lettered although the send has failed.",
        ("dead_letter_send_fails",),
        (
            Mutation(
                DEAD_LETTERS,
                "extra=extra | error.details)\n        return False",
                "extra=extra | error.details)\n        return True",
            ),
        ),
    ),
    "lets_everybody_in_without_a_secret": Mutant(
        "ingest accepts requests that it cannot check, because Secrets Manager fails.",
        ("secret_denied",),
        (
            Mutation(
                INGEST,
                "    except aws.CallError:  # which the keyring has logged",
                '    except aws.CallError:\n        return ""',
            ),
        ),
    ),
    "drops_permanent_failures": Mutant(
        "process logs messages that it cannot read, and drops them.",
        ("permanent_failures_among_good_messages",),
        (
            Mutation(
                SETTLEMENT,
                "        if failure is None:",
                "        if failure is not Outcome.TRANSIENT_FAILURE:",
            ),
        ),
    ),
}
