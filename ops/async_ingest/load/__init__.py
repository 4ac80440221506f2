"""An open load: requests are due by a schedule, whether or not the system keeps up.

`schedule` says when, `mix` says what, `sender` and `processes` send it, `ledger` accounts for every
order in the end, `latency` and `report` say how it went.
"""
