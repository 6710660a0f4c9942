"""What a refresh of a token tells, for the tests of signals."""

from __future__ import annotations

TOKEN = {
    "access_token": "eyJhbGciOiJSUzI1NiJ9.access",
    "refresh_token": "new/refresh+token==",
    "expires_in": 1199,
    "token_type": "Bearer",
    "token_identifier": 7,
    "previous_refresh_token": "it's the\\old one",
}
