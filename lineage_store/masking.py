"""Credentials in URLs, masked.

`masked_url` takes a string that is known to be a URL, and rather masks too much than too little.
`masked_text` takes any text, such as the URI of an artifact, and leaves all but credentials as it
is: two artifacts must not become one because their URIs were cut.
"""

import re

MASK = "***"

_NAMES = (  # of options in a query
    r"[\w\-.]*(?:password|passwd|passphrase|secret|token|credential|api_?key|signature)"
    r"|pwd|pass|sig"
)
_QUERY = re.compile(
    r"(?P<name>[?&;](?:(?:ssl|db)?password|passwd|pwd|secret|client_secret|token|access_token"
    r"|auth_token|api_?key|sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature)=)"
    r"[^&;#\s\"']+",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rf"(?P<name>(?:^|[?&;\s])(?:{_NAMES})\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^&\s]+)", re.IGNORECASE
)

_SCHEME = r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.\-]*://)"
_WITH_PASSWORD = re.compile(_SCHEME + r"(?P<user>[^\s/?#@:\"']*):(?P<password>[^\s/?#\"']+)@")
_WITH_TOKEN = re.compile(r"(?P<scheme>\bhttps?://)(?P<token>[^\s/?#@:\"']+)@")


def masked_url(url: str) -> str:
    """Return a URL, or the `name=value` form of libpq, that can be shown to anybody.

    Whatever stands between the first colon behind the scheme and the last `@` counts as a password
    if the URL as a whole has no clear one: passwords may hold `#`, `/`, `?` and `@`, or what no
    parser takes.

    Example:
        >>> masked_url("mysql://me:s3cr3t@host/db?ssl=1")
        'mysql://me:***@host/db?ssl=1'
    """
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/"):
        return url  # a path
    if not separator:
        return _OPTION.sub(rf"\g<name>{MASK}", url)
    shown = _OPTION.sub(rf"\g<name>{MASK}", _without_login(rest))
    return f"{scheme}://{shown}"


def _without_login(rest: str) -> str:
    """Return the rest of a URL behind its scheme with the password of its user masked."""
    end = _login_end(rest)
    user, colon, _ = rest[: max(end, 0)].partition(":")
    return f"{user}:{MASK}{rest[end:]}" if colon else rest


def _login_end(rest: str) -> int:
    """Return where the `@` behind user and password is; -1: there is none.

    An `@` in a query that has a `name=` before it is one of the query.
    """
    path, _, query = rest.partition("?")
    if "@" in path and ("@" not in query or "=" in query.rpartition("@")[0]):
        return path.rfind("@")
    return rest.rfind("@")


def masked_text(text: str) -> str:
    """Return a text with the credentials of all URLs in it masked."""
    if "://" not in text:
        return text
    if "@" in text:
        text = _WITH_PASSWORD.sub(rf"\g<scheme>\g<user>:{MASK}@", text)
        text = _WITH_TOKEN.sub(rf"\g<scheme>{MASK}@", text)
    return _QUERY.sub(rf"\g<name>{MASK}", text) if "=" in text else text


def bare_url(url: str) -> str:
    """Return an address, such as of a git repository, without user, password, query and fragment.

    Example:
        >>> bare_url("https://oauth2:glpat-XX/YY@git.example.com/team/model.git?ref=1")
        'https://git.example.com/team/model.git'
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return re.split(r"[?#]", re.sub(r"^[^/]*@", "", url), maxsplit=1)[0]  # user@host:path
    end = _login_end(rest)
    is_login = ":" in rest[: max(end, 0)] or "/" not in rest[: max(end, 0)]
    place = rest[end + 1 :] if is_login else rest
    return f"{scheme}://{re.split(r'[?#]', place, maxsplit=1)[0]}"
