"""The login: OAuth 2 with EVE's single sign-on (SSO), as coroutines over a `Runtime`."""
