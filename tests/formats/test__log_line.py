"""One line of a log in every form that Istio and Envoy print."""

import pytest

from meshforensics.formats._log_line import LogLine, continued, log_keys, log_line, log_object, without_prefix

AT = "2026-01-01T12:00:00.123456Z"


@pytest.mark.parametrize(
    ("line", "level", "scope", "message"),
    [
        pytest.param(f"{AT}\tinfo\tads\tXDS: pushed\tn=1", "info", "ads", "XDS: pushed\tn=1", id="scope"),
        pytest.param(f"{AT}\tinfo\tEnvoy proxy is ready", "info", None, "Envoy proxy is ready", id="no-scope"),
        pytest.param(f"{AT}\tinfo\t\tstarting", "info", None, "starting", id="empty-scope"),
        pytest.param(
            f"{AT}\tinfo\tProxy role\tips=[::1]", "info", None, "Proxy role\tips=[::1]", id="words-are-no-scope"
        ),
        pytest.param(
            f"{AT}\twarning\tenvoy config source/a/b_c.cc:160\tgone: 14\tthread=22",
            "warn",
            "envoy config",
            "gone: 14",
            id="envoy",
        ),
        pytest.param(
            f"{AT}\twarning\tenvoy config\t[a-out/x/grpc_stream.h:92] closed: 14\tthread=2",
            "warn",
            "envoy config",
            "closed: 14",
            id="envoy-1.6",
        ),
        pytest.param(
            f"{AT}     info    access  connection complete  a=1",
            "info",
            "access",
            "connection complete  a=1",
            id="pasted",
        ),
        pytest.param(
            f"{AT}     warning envoy config    gRPC config", "warn", "envoy config", "gRPC config", id="pasted-envoy"
        ),
        pytest.param(
            f"{AT}     info    Readiness succeeded", "info", None, "Readiness succeeded", id="pasted-no-scope"
        ),
        pytest.param(
            "[2026-01-01 12:00:00.123456][11][critical][main] external/envoy/source/server/server.cc:1] x: y",
            "fatal",
            "envoy main",
            "x: y",
            id="envoy-upstream-without-bracket",
        ),
        pytest.param(
            "[2026-01-01 12:00:00.123456][11][error][config] [source/server/server.cc:1] x: y",
            "error",
            "envoy config",
            "x: y",
            id="envoy-upstream",
        ),
    ],
)
def test_text(line: str, level: str, scope: str | None, message: str) -> None:
    found = log_line(line, "L7")

    assert found == LogLine(AT, "fatal" if level == "fatal" else level, scope, message, "L7", False)


@pytest.mark.parametrize(
    "line", ["", "x", "configPath: ./etc", f"{AT} no level", f"{AT}\tinformation\tx", "[x] y", "12"]
)
def test_other_lines_begin_no_message(line: str) -> None:
    assert log_line(line, "L1") is None


def test_json() -> None:
    said = log_keys(f'{{"level":"Warning","time":"{AT}","scope":"ads","msg":"m","n":1,"thread":"2"}}')

    assert said is not None
    assert log_object(said, "L1") == LogLine(AT, "warn", "ads", "m\tn=1", "L1", False)


@pytest.mark.parametrize("line", ['{"msg": 1, "level": "info"}', '{"msg": "x"}', "{}"])
def test_json_of_another_kind_is_no_message(line: str) -> None:
    said = log_keys(line)

    assert said is not None
    assert log_object(said, "L1") is None


@pytest.mark.parametrize("line", ["{", "[]", "{'a': 1}"])
def test_no_json(line: str) -> None:
    assert log_keys(line) is None


def test_a_message_goes_on() -> None:
    first = LogLine(AT, "warn", "envoy config", "rejected: a", "L1")

    assert continued(first, ["b", "", "\tthread=4"], "L1-L4").message == "rejected: a\nb"


@pytest.mark.parametrize(
    ("line", "bare"),
    [
        ("2025-01-30T12:10:13.682034460Z [2025", "[2025"),
        ('2025-01-30T12:10:13.682034460Z {"a"', '{"a"'),
        ("2025-01-30T20:10:13.682034460+08:00 [2025", "[2025"),
        (f"2025-01-30T12:10:13.682034460Z {AT}\tinfo\tx", f"{AT}\tinfo\tx"),
        (f"{AT}\tinfo\tx", f"{AT}\tinfo\tx"),
    ],
)
def test_kubectl_timestamps(line: str, bare: str) -> None:
    assert without_prefix(line) == bare
