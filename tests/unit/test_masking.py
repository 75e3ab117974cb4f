"""Credentials in URLs are masked, in whatever form they are written."""

import pytest

from lineage_store.masking import MASK, bare_url, masked_text, masked_url

PASSWORDS = ["hunter2", "p%40ss", "p@ss", "p/w", "p#w", "p?w", "p[w", "p]w", "p:w", "#/?@", "p?x=1"]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "grpc"])
@pytest.mark.parametrize(
    "place", ["host/db", "host:5432,[::1]:1/db?sslmode=require", "/db?host=/run"]
)
def test_the_password_of_a_url(scheme: str, password: str, place: str) -> None:
    shown = masked_url(f"{scheme}://me:{password}@{place}")
    assert shown == f"{scheme}://me:{MASK}@{place}"


@pytest.mark.parametrize(
    "name",
    ["password", "sslpassword", "PASSWORD", "passwd", "pwd", "access_token", "client_secret"],
)
@pytest.mark.parametrize("before", ["?", "?user=me&", "?a=1&"])
@pytest.mark.parametrize("value", ["hunter2", "p@ss", "p#w", "p/w", "p%26"])
def test_a_password_in_the_query(name: str, before: str, value: str) -> None:
    shown = masked_url(f"postgresql://host/db{before}{name}={value}&sslmode=require")
    assert shown == f"postgresql://host/db{before}{name}={MASK}&sslmode=require"


@pytest.mark.parametrize("password", ["hunter2", "'with a space'", r"'it\'s'"])
def test_the_form_of_libpq_without_a_scheme(password: str) -> None:
    shown = masked_url(f"host=db user=me password={password} dbname=x")
    assert shown == f"host=db user=me password={MASK} dbname=x"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me@db/x",
        "postgresql://db:5432/x?application_name=a",
        "mysql://me@a:1,b:2/x?password_file=/run/secrets/db&ca=ca.pem",
        "postgresql://me@db:5432/x?options=a@b",
        "sqlite:////srv/lineage.db",
        "sqlite:////srv/10:00:30/me@host/lineage.db",
        "grpc://store:8080",
        "",
    ],
)
def test_a_url_without_credentials_stays_as_it_is(url: str) -> None:
    assert masked_url(url) == url


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://u:pw@h/x and more", "see https://u:***@h/x and more"),
        ("https://oauth2:glpat-XX@h/x", "https://oauth2:***@h/x"),
        ("https://token@h/x", "https://***@h/x"),
        ("s3://bucket/a?X-Amz-Signature=abc&b=1", "s3://bucket/a?X-Amz-Signature=***&b=1"),
        ("https://h/x?api_key=1&token=2", "https://h/x?api_key=***&token=***"),
        ("no url: a@b password=1", "no url: a@b password=1"),
    ],
)
def test_credentials_within_a_text(text: str, shown: str) -> None:
    assert masked_text(text) == shown


@pytest.mark.parametrize(
    "uri",
    [
        "http://minio:9000/bucket/user@example.com/model",
        "https://example.com/@scope/package",
        "s3://bucket/run@2026-11-30/model.pkl",
        "file:///data/a@b:c",
        "hdfs://nn1:8020,nn2:8020/train/part@1.csv",
        "s3://arn:aws:s3:us-east-1:123456789012:accesspoint/ap/train/part@2024.csv",
        "file://C:/data/model@1.pkl",
        "mlflow://exp:run/artifacts/model@prod",
        "s3://bucket/predictions?pass=1&model_signature=abc&pageToken=2",
    ],
)
def test_a_uri_without_credentials_keeps_its_identity(uri: str) -> None:
    assert masked_text(uri) == uri


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://example.com/a/b.git", "https://example.com/a/b.git"),
        ("https://token@example.com/a", "https://example.com/a"),
        ("https://user:p%40ss@example.com:8443/a", "https://example.com:8443/a"),
        ("https://user:p@ss@example.com/a", "https://example.com/a"),
        ("https://example.com/a?access_token=1#x", "https://example.com/a"),
        ("https://example.com/a@v1", "https://example.com/a@v1"),
        ("ssh://git@example.com/a", "ssh://example.com/a"),
        ("https://u:p/w@h/x", "https://h/x"),
        ("https://oauth2:glpat-XX/YY@h/x.git", "https://h/x.git"),
        ("https://u:p@ss/w@h/x", "https://h/x"),
        ("https://u:p?w@h/x", "https://h/x"),
        ("https://[broken", "https://[broken"),
        ("git@example.com:a/b.git", "example.com:a/b.git"),
        ("/srv/git/a", "/srv/git/a"),
    ],
)
def test_an_address_bare_url(remote: str, shown: str) -> None:
    assert bare_url(remote) == shown
