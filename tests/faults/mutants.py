"""Mistakes that handlers of this kind have really had, and the scenarios that must turn red."""

from typing import NamedTuple

from tests.faults.system import Mutation

INGEST = "ingest/handler.py"
PROCESS = "process/handler.py"
WRITER = "process/writer.py"


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
                "return [Outcome.FAILED] * len(batch)",
                "return [Outcome.WRITTEN] * len(batch)",
            ),
        ),
    ),
    "reports_no_failures": Mutant(
        "process always answers that no message has failed.",
        ("dynamodb_some_statements_throttled",),
        (Mutation(PROCESS, "return list(dict.fromkeys(failed))", "return []"),),
    ),
    "ignores_errors_of_statements": Mutant(
        "A call that succeeds counts for all its statements.",
        ("dynamodb_some_statements_throttled",),
        (
            Mutation(
                WRITER,
                "_OUTCOMES.get(code, Outcome.FAILED)",
                "_OUTCOMES.get(code, Outcome.WRITTEN)",
            ),
        ),
    ),
    "takes_throttling_for_hopeless": Mutant(
        "What fails for a while is dead-lettered at once.",
        ("dynamodb_some_statements_throttled",),
        (
            Mutation(
                WRITER,
                "_OUTCOMES.get(code, Outcome.FAILED)",
                "_OUTCOMES.get(code, Outcome.REFUSED)",
            ),
        ),
    ),
    "sends_before_it_validates": Mutant(
        "ingest puts the body on the queue and then looks whether it is valid.",
        ("sqs_throttled",),
        (
            Mutation(
                INGEST,
                "        document = orders.read(_text(request), SCHEMA)",
                "        _send(_text(request), accepted_at, ids)\n"
                "        document = orders.read(_text(request), SCHEMA)",
            ),
        ),
    ),
    "answers_before_it_sends": Mutant(
        "ingest leaves the send to a thread, and answers 202 meanwhile.",
        ("sqs_throttled",),
        (
            Mutation(
                INGEST,
                "    return _send(body, accepted_at, ids), len(document.orders)",
                "    import threading\n"
                "    threading.Thread(target=_send, args=(body, accepted_at, ids)).start()\n"
                '    return "sent", len(document.orders)',
            ),
        ),
    ),
    "takes_any_answer_for_a_confirmation": Mutant(
        "ingest answers 202 although the send has failed.",
        ("sqs_access_denied", "sqs_reset"),
        (Mutation(INGEST, 'extra = {"error": aws.error_code(error), **ids}', 'return "unknown"'),),
    ),
    "compares_stamps_the_wrong_way_round": Mutant(
        "The older of two orders wins.",
        ("delivery_in_reverse_order", "one_key_rewritten_in_a_burst"),
        (Mutation(WRITER, '"NOT #stamp >= :stamp"', '"NOT #stamp <= :stamp"'),),
    ),
    "keeps_whatever_is_stored": Mutant(
        "A key that exists counts as a duplicate of the order.",
        ("one_key_rewritten_in_a_burst",),
        (Mutation(WRITER, '"DuplicateItem": None,', '"DuplicateItem": Outcome.SUPERSEDED,'),),
    ),
    "takes_the_time_of_the_message": Mutant(
        "Orders are compared by SentTimestamp, of which a redrive makes a new one.",
        ("redrive_after_the_cause_is_gone",),
        (
            Mutation(
                PROCESS,
                "if isinstance(stamp, str) and _STAMP.fullmatch(stamp):",
                'if stamp == "":',
            ),
        ),
    ),
    "deduplicates_by_message_id": Mutant(
        "process skips messages that it has seen, whatever has become of them.",
        ("dynamodb_all_throttled_for_a_while",),
        (
            Mutation(
                PROCESS,
                "    messages = [_read(record) for record in records]",
                '    records = [r for r in records if r["messageId"] not in SEEN]\n'
                '    SEEN.update(r["messageId"] for r in records)\n'
                "    messages = [_read(record) for record in records]",
            ),
            Mutation(
                PROCESS, "LOG = logging.getLogger()", "LOG = logging.getLogger()\nSEEN = set()"
            ),
        ),
    ),
    "forgets_dead_letters_that_fail": Mutant(
        "Poison counts as dead-lettered although the send has failed.",
        ("dead_letter_send_fails",),
        (
            Mutation(
                PROCESS,
                '**extra, "error": aws.error_code(error)})\n        return False',
                '**extra, "error": aws.error_code(error)})\n        return True',
            ),
        ),
    ),
    "drops_poison": Mutant(
        "What cannot be read is logged and skipped.",
        ("poison_among_good_messages",),
        (
            Mutation(
                PROCESS,
                "    if not (DEAD_LETTER_IMMEDIATELY and has_time()):\n        return False",
                "    return True",
            ),
        ),
    ),
}
