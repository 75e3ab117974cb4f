"""Settings: from options, the environment and a file; all of them documented."""

import re
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import click
import pytest
from lineage_server.command import serve
from lineage_server.setting import settings_of
from lineage_server.settings import MIB, Settings

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport
from lineage_store.limits import Limits, NodeBound
from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_service_pb2 as service
from tests.integration.serving import failing, serving

DOCUMENTED = Path(__file__).parents[2] / "docs/settings.md"


def answers(address: str) -> bool:
    with closing(GrpcTransport(address, timeout=10)) as transport:
        return bool(transport.call("GetContextTypes", service.GetContextTypesRequest()) is not None)


def test_settings_come_from_the_environment(tmp_path):
    url = f"sqlite:///{tmp_path}/env.db"
    variables = {"LINEAGE_STORE_DATABASE": url, "LINEAGE_STORE_GRPC": "localhost:0"}
    with serving(tmp_path, **variables) as served:
        assert served.address.startswith("localhost:")
        assert answers(served.address)
    assert (tmp_path / "env.db").exists()


def test_settings_come_from_a_file(tmp_path):
    file = tmp_path / "server.toml"
    url = f"sqlite:///{tmp_path}/file.db"
    file.write_text(f'database = "{url}"\nthreads = 2\nlog_format = "json"\ndrain_seconds = 0.5\n')
    with serving(tmp_path, "--config", str(file), LINEAGE_STORE_DATABASE="") as served:
        assert answers(served.address)
    assert (tmp_path / "file.db").exists()


def test_an_option_wins_over_the_environment_and_that_over_the_file(tmp_path):
    file = tmp_path / "server.toml"
    names = ("file", "variable", "option")
    in_file, in_variable, in_option = (f"sqlite:///{tmp_path}/{name}.db" for name in names)
    file.write_text(f'database = "{in_file}"\n')
    both = {"LINEAGE_STORE_CONFIG": str(file), "LINEAGE_STORE_DATABASE": in_variable}
    with serving(tmp_path, **both):
        assert [(tmp_path / f"{name}.db").exists() for name in names] == [False, True, False]
    with serving(tmp_path, "--database", in_option, **both):
        assert [(tmp_path / f"{name}.db").exists() for name in names] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thread = 2", "unknown setting 'thread'"),
        ("config = 'x'", "unknown setting 'config'"),
        ("threads = 'many'", "many"),
        ("threads = 0", "threads"),
        ("log_format = 'xml'", "xml"),
        ("tls_key = '/no/such/file'", "/no/such/file"),
        ("= 3", "server.toml"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, message):
    file = tmp_path / "server.toml"
    file.write_text(text)
    code, error = failing("--config", str(file), "--database", f"sqlite:///{tmp_path}/a.db")
    assert code == 2
    assert message in error
    assert not (tmp_path / "a.db").exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--nope"], 2, "--nope"),
        (["--threads", "0"], 2, "threads"),
        (["--max-message-bytes", "1"], 2, "max-message-bytes"),
        (["--config", "/no/such/file"], 2, "/no/such/file"),
        (["--grpc", "8080"], 1, "HOST:PORT"),
        (["--grpc", "127.0.0.1:99999"], 1, "HOST:PORT"),
        (["--database", "oracle://x"], 1, "not a database URL"),
        (["--database", "sqlite:///a.db?mode=x"], 1, "mode=x"),
        (["--database", "sqlite:////no/such/directory/a.db"], 3, "can't be opened"),
    ],
)
def test_a_wrong_option_is_refused(options, code, message):
    exit_code, error = failing(*options)
    assert exit_code == code
    assert message in error


def test_a_password_is_never_shown():
    _, error = failing("--database", "postgresql://user:s3cret@host/db")
    assert "s3cret" not in error


def documented() -> dict[str, tuple[str, str, str]]:
    """Return variable, key in the file and default of each option in the table of the page."""
    row = re.compile(r"^\| `--([\w-]+)` \| `(\w+)` \| (?:`(\w+)`|—) \| (?:`([^`]+)`|—) \|", re.M)
    return {
        name: (variable, key, default)
        for name, variable, key, default in row.findall(DOCUMENTED.read_text())
    }


def test_every_setting_is_documented():
    def shown(parameter: click.Parameter) -> str:
        default = parameter.default
        return str(default) if isinstance(default, (str, int, float)) else ""

    settings = {
        parameter.opts[0].removeprefix("--"): (
            parameter.envvar,
            "" if parameter.name == "config" else parameter.name,
            shown(parameter),
        )
        for parameter in serve.params
    }
    assert documented() == settings


def test_each_setting_is_an_option_with_the_same_default_and_bounds():
    def bounds(option: click.Parameter) -> tuple[float, float] | None:
        is_bounded = isinstance(option.type, click.IntRange | click.FloatRange)
        return (option.type.min, option.type.max) if is_bounded else None

    options = [option for option in serve.params if option.name != "config"]
    settings = settings_of(Settings)
    assert [option.name for option in options] == [each.name for each in settings]
    for option, setting in zip(options, settings, strict=True):
        assert (option.default, bounds(option)) == (setting.default, setting.bounds), option.name
        assert option.help == setting.help
    defaults = {each.name: each.default for each in settings}
    assert Settings(**defaults) == Settings()
    node_bound = NodeBound(reason="--max-node-bytes")
    limits = replace(Limits(), max_answer_bytes=100 * MIB, nodes=node_bound)
    assert asdict(Settings().limits) == asdict(limits)


@pytest.mark.parametrize("setting", settings_of(Settings), ids=lambda setting: setting.name)
def test_the_default_of_a_setting_is_allowed(setting):
    if setting.bounds is not None:
        assert setting.bounds[0] <= setting.default <= setting.bounds[1]
    if setting.choices:
        assert setting.default in setting.choices


@pytest.mark.parametrize(
    ("address", "warns"),
    [("0.0.0.0:0", True), ("[::]:0", True), ("127.0.0.1:0", False), ("localhost:0", False)],
)
def test_listening_beyond_this_machine_is_warned_of(tmp_path, address, warns):
    with serving(tmp_path, "--grpc", address) as served:
        log = served.log()
    assert ("may read and change everything" in log and "(no TLS)" in log) is warns


def test_the_level_of_the_log(tmp_path):
    with serving(tmp_path, "--grpc", "0.0.0.0:0", "--log-level", "error") as served:
        served.stop()
        assert served.log() == ""


def test_the_access_log(tmp_path):
    for name, is_on in (("on", True), ("off", False)):
        directory = tmp_path / name
        directory.mkdir()
        options = ["--access-log"] if is_on else []
        with (
            serving(directory, *options) as served,
            closing(GrpcTransport(served.address, timeout=10)) as transport,
        ):
            transport.call("GetArtifactTypes", service.GetArtifactTypesRequest())
            with pytest.raises(errors.NotFound):
                list(transport.stream("Trace", trace_of_nothing()))
            lines = [line for line in served.log().splitlines() if "call answered" in line]
        methods = [re.search(r"method=(\w+) peer=ipv4:\S+ ms=[\d.]+$", line) for line in lines]
        expected = ["GetArtifactTypes"] if is_on else []
        assert [match and match.group(1) for match in methods] == expected


def trace_of_nothing():
    request = lineage_pb2.TraceRequest()
    request.walk.start.kind = lineage_pb2.ARTIFACT
    request.walk.start.ids.ids.append(7)
    return request
