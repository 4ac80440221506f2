"""Mistakes that handlers of this kind have really had, and the scenarios that must turn red."""

from typing import NamedTuple

from tests.faults.system import Mutation

INGEST = "ingest/handler.py"
PROCESS = "process/handler.py"
MESSAGES = "process/messages.py"
WRITER = "process/writer.py"
SETTLEMENT = "process/settlement.py"
DEAD_LETTERS = "process/dead_letters.py"


class Mutant(NamedTuple):
    mistake: str
    scenarios: tuple[str, ...]  # each of which must see it
    mutations: tuple[Mutation, ...]


MUTANTS = {
    "drops_the_return": Mutant(
        "process computes its answer and does not return it: nothing has failed, to Lambda.",
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
        "An exception of the bulk write is logged, and the orders count as written.",
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
        "process always answers that no message has failed.",
        ("dynamodb_some_statements_failed",),
        (Mutation(PROCESS, "failed = dict.fromkeys(settlement.failed)", "failed = ()"),),
    ),
    "ignores_errors_of_statements": Mutant(
        "A call that succeeds counts for all its statements.",
        ("dynamodb_some_statements_failed",),
        (
            Mutation(
                WRITER,
                "_OUTCOMES.get(code, Outcome.TRANSIENT_FAILURE)",
                "_OUTCOMES.get(code, Outcome.WRITTEN)",
            ),
        ),
    ),
    "takes_transient_failures_for_permanent": Mutant(
        "What fails for a while is dead-lettered at once.",
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
        "ingest puts the body on the queue and then looks whether it is valid.",
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
        "ingest leaves the send to a thread, and answers 202 meanwhile.",
        ("sqs_throttled",),
        (
            Mutation(
                INGEST,
                "    return _send(body, accepted_at, ids, deadline), len(document.orders)",
                "    import threading\n"
                "    arguments = (body, accepted_at, ids, deadline)\n"
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
    "compares_stamps_the_wrong_way_round": Mutant(
        "The older of two orders wins.",
        ("delivery_in_reverse_order", "one_key_rewritten_in_a_burst"),
        (
            Mutation(
                WRITER, ':"NOT #accepted_at >= :accepted_at"', ':"NOT #accepted_at <= :accepted_at"'
            ),
        ),
    ),
    "keeps_whatever_is_stored": Mutant(
        "A key that exists counts as a duplicate of the order.",
        ("dynamodb_some_statements_failed",),
        (Mutation(WRITER, '"DuplicateItem": None,', '"DuplicateItem": Outcome.SUPERSEDED,'),),
    ),
    "takes_the_time_of_the_message": Mutant(
        "Orders are compared by SentTimestamp, of which a redrive makes a new one.",
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
        "process skips messages that it has seen, whatever has become of them.",
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
    "forgets_dead_letters_that_fail": Mutant(
        "Poison counts as dead-lettered although the send has failed.",
        ("dead_letter_send_fails",),
        (
            Mutation(
                DEAD_LETTERS,
                "extra=extra | error.details)\n        return False",
                "extra=extra | error.details)\n        return True",
            ),
        ),
    ),
    "drops_poison": Mutant(
        "What cannot be read is logged and skipped.",
        ("poison_among_good_messages",),
        (
            Mutation(
                SETTLEMENT,
                "        if failure is None:",
                "        if failure is not Outcome.TRANSIENT_FAILURE:",
            ),
        ),
    ),
}
