"""Receivers of programs written for version 1, which carry no annotations: both checkers accept them.

Functions without annotations are allowed in this file; everything else is checked as in strict code.
"""
# mypy: allow-untyped-defs, allow-untyped-calls
# pyright: basic

from esipy.events import AFTER_TOKEN_REFRESH, API_CALL_STATS, Signal


def after_token_refresh_hook(access_token, refresh_token, expires_in, **kwargs):
    print("We got new token: %s" % access_token)  # noqa: UP031
    print("refresh token used: %s" % refresh_token)  # noqa: UP031
    print("Expires in %d" % expires_in)  # noqa: UP031


def api_call_stats_hook(url, status_code, elapsed_time, message, **kwargs):
    print(url, status_code, elapsed_time, message, kwargs)


AFTER_TOKEN_REFRESH.add_receiver(after_token_refresh_hook)
API_CALL_STATS.add_receiver(api_call_stats_hook)
API_CALL_STATS.add_receiver(lambda **kwargs: print(kwargs))
assert after_token_refresh_hook in AFTER_TOKEN_REFRESH.event_receivers
AFTER_TOKEN_REFRESH.remove_receiver(after_token_refresh_hook)

my_signal = Signal()
my_signal.add_receiver(api_call_stats_hook)
my_signal.send(url="", status_code=200, elapsed_time=0.1, message=None)
my_signal.send_robust(anything=1)
my_signal.event_receivers = []
