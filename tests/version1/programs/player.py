"""A player at a browser, played: opens the login page, picks the character, presses the button, is sent back."""
import re
from http.client import HTTPConnection
from urllib.parse import urlencode, urljoin, urlsplit


def _exchange(method, url, body=None):
    parts = urlsplit(url)
    headers = {'Content-Type': 'application/x-www-form-urlencoded'} if body else {}
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request(method, '%s?%s' % (parts.path, parts.query), body, headers)
        answer = connection.getresponse()
        return answer.getheader('Location'), answer.read().decode('utf-8')
    finally:
        connection.close()


def log_in(auth_uri, character_id):
    """Give the address that the SSO sends the browser back to."""
    _, page = _exchange('GET', auth_uri)
    action = re.search(r'<form[^>]*action="([^"]*)"', page).group(1).replace('&amp;', '&')
    choice = urlencode({'character_id': character_id, 'decision': 'approve'})
    location, _ = _exchange('POST', urljoin(auth_uri, action), choice)
    return location
