"""Access lines of every age are read, whatever the client put into them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.access_log import AccessLine, decode, parse_line
from meshforensics.model import NotTheFormError

DATA = Path(__file__).parent.parent / "data" / "istio-1.31" / "istio-proxy.log"

HEAD = '[2026-01-01T12:00:00.123Z] "GET /a?b=c HTTP/1.1" 503'
ENVOY = ' 0 19 7 5 "10.0.0.9" "curl/8" "id-1" "web.shop:80" "10.0.0.1:8080"'
TAIL = " outbound|80||web.shop.svc.cluster.local 10.0.0.2:1 10.96.0.1:80 10.0.0.2:2 - default"


def _read(line: str) -> AccessLine:
    made = parse_line(line, "L1")
    assert made is not None
    return made


def test_the_shape_since_istio_1_9_in_full() -> None:
    line = (
        f'{HEAD} URX,UF upstream_reset_before_response_started{{remote_connection_failure}} - "TLS_error:|2684" '
        f'0 121 32 - "-" "curl/8" "id-1" "web.shop:80" "10.0.0.1:8080"{TAIL}'
    )

    assert _read(line) == AccessLine(
        at="2026-01-01T12:00:00.123Z",
        pointer="L1",
        format="istio-1.9",
        method="GET",
        path="/a?b=c",
        protocol="HTTP/1.1",
        status=503,
        flags=("UF", "URX"),
        details="upstream_reset_before_response_started{remote_connection_failure}",
        failure_reason="TLS_error:|2684",
        bytes_received=0,
        bytes_sent=121,
        duration_ms=32,
        user_agent="curl/8",
        request_id="id-1",
        authority="web.shop:80",
        upstream_host="10.0.0.1:8080",
        cluster="outbound|80||web.shop.svc.cluster.local",
        upstream_local="10.0.0.2:1",
        downstream_local="10.96.0.1:80",
        downstream_remote="10.0.0.2:2",
        route="default",
        direction="outbound",
    )


@pytest.mark.parametrize(
    ("line", "form", "details", "reason", "route"),
    [
        pytest.param(f"{HEAD} UH{ENVOY}", "envoy", None, None, None, id="envoy-default"),
        pytest.param(f"{HEAD} UH no_healthy_upstream{ENVOY}", "envoy", "no_healthy_upstream", None, None, id="details"),
        pytest.param(
            f'{HEAD} UH "mixer"{ENVOY}{TAIL.removesuffix(" default")}',
            "istio-1.1",
            "mixer",
            None,
            None,
            id="istio-1.1",
        ),
        pytest.param(f'{HEAD} UH "d" "TLS error"{ENVOY}{TAIL}', "istio-1.5", "d", "TLS error", "default", id="1.5"),
        pytest.param(f'{HEAD} UH "TLS error"{ENVOY}{TAIL}', "istio-1.5", None, "TLS error", "default", id="istio-1.8"),
        pytest.param(f'{HEAD} UH d t "-"{ENVOY}{TAIL}', "istio-1.9", "d", None, "default", id="istio-1.9"),
        pytest.param(
            f'{HEAD} UH d t "-"{ENVOY}{TAIL} two words', "istio-1.9", "d", None, "default two words", id="name"
        ),
    ],
)
def test_shapes(line: str, form: str, details: str | None, reason: str | None, route: str | None) -> None:
    made = _read(line)

    assert (made.format, made.details, made.failure_reason, made.route) == (form, details, reason, route)
    assert (made.status, made.flags, made.duration_ms, made.upstream_ms) == (503, ("UH",), 7, 5)
    assert (made.user_agent, made.upstream_host) == ("curl/8", "10.0.0.1:8080")


def test_words_in_termination_details_belong_to_it() -> None:
    made = _read(f'{HEAD} UH d transport socket timeout was reached "-"{ENVOY}{TAIL}')

    assert (made.details, made.termination_details) == ("d", "transport socket timeout was reached")


@pytest.mark.parametrize(
    ("tail", "why"),
    [
        pytest.param(" one two", "two fields after the last quote", id="tail"),
        pytest.param(f'{TAIL} "', "a quote after the quoted fields", id="quote"),
    ],
)
def test_an_unknown_shape_is_read_to_its_flags_only(tail: str, why: str) -> None:
    made = _read(f'{HEAD} NR route_not_found - "-"{ENVOY}{tail}')

    assert made == AccessLine(
        at="2026-01-01T12:00:00.123Z",
        pointer="L1",
        format="other",
        method="GET",
        path="/a?b=c",
        protocol="HTTP/1.1",
        status=503,
        flags=("NR",),
    ), why


def test_tcp_and_a_client_that_left() -> None:
    line = '[2026-01-01T12:00:00.000Z] "- - -" 0 DC - - "-" 61 105 13342 - "-" "-" "-" "-" "10.0.0.1:1"' + TAIL

    made = _read(line)

    assert (made.method, made.path, made.protocol, made.status, made.flags) == (None, None, None, 0, ("DC",))
    assert (made.bytes_received, made.bytes_sent, made.duration_ms, made.request_id) == (61, 105, 13342, None)


@pytest.mark.parametrize("stamp", ["2026-01-01T12:00:01.682034460Z", "2026-01-01T20:00:01.682034460+08:00"])
def test_kubectl_timestamps_are_left_off(stamp: str) -> None:
    plain = f'{HEAD} - via_upstream - "-"{ENVOY}{TAIL}'

    assert _read(f"{stamp} {plain}") == _read(plain)


@pytest.mark.parametrize(
    ("cluster", "server_name", "expected"),
    [
        ("inbound|8080||;", "-", ("inbound|8080||", "inbound")),
        ("outbound|80|v1|a.b", "-", ("outbound|80|v1|a.b", "outbound")),
        ("inbound-vip|9080|http|a.b", "-", ("inbound-vip|9080|http|a.b", None)),
        ("PassthroughCluster", "-", ("PassthroughCluster", "outbound")),
        ("InboundPassthroughClusterIpv4", "-", ("InboundPassthroughClusterIpv4", "inbound")),
        ("-", "outbound_.80_._.a.b", (None, "inbound")),
        ("-", "www.example.com", (None, None)),
    ],
)
def test_direction(cluster: str, server_name: str, expected: tuple[str | None, str | None]) -> None:
    made = _read(f'{HEAD} - - - "-"{ENVOY} {cluster} - - - {server_name} -')

    assert (made.cluster, made.direction) == expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        pytest.param((503, 12, 7, "5"), (503, 12, 7, 5), id="typed"),
        pytest.param(("503", "12", "7", "5"), (503, 12, 7, 5), id="texts"),
        pytest.param((0, None, 2**70, "-"), (0, None, None, None), id="none-and-too-large"),
        pytest.param((503.0, True, -1, []), (503, None, None, None), id="odd"),
    ],
)
def test_json(numbers: tuple[object, ...], expected: tuple[int | None, ...]) -> None:
    status, sent, duration, upstream = numbers
    said = {
        "start_time": "2026-01-01T12:00:00.123Z",
        "response_code": status,
        "bytes_sent": sent,
        "duration": duration,
        "upstream_service_time": upstream,
        "response_flags": "NoRouteFound,UF",
        "user_agent": None,
        "upstream_cluster": "inbound|80||",
    }

    made = _read(json.dumps(said))

    assert (made.status, made.bytes_sent, made.duration_ms, made.upstream_ms) == expected
    assert (made.at, made.flags, made.user_agent, made.direction) == (
        "2026-01-01T12:00:00.123Z",
        ("NR", "UF"),
        None,
        "inbound",
    )


@pytest.mark.parametrize("line", ['{"level":"info","msg":"x"}', "{", '{"a"', "[1]", HEAD, "", "x"])
def test_other_lines_are_none(line: str) -> None:
    assert parse_line(line, "L1") is None


def test_a_log_with_other_lines() -> None:
    lines = decode(DATA.read_bytes())

    assert [(line.pointer, line.status, line.flags, line.direction) for line in lines] == [
        *((f"L{number}", 200, (), "inbound") for number in (9, 10, 11, 12, 13, 17, 18, 19)),
        ("L20", 503, ("NC",), None),
        ("L21", 503, ("NC",), None),
        ("L22", 503, ("UF", "URX"), "outbound"),
        ("L23", 0, ("DC",), "outbound"),
    ]


def test_windows_line_ends_and_a_cut_last_line() -> None:
    line = f"{HEAD} UH{ENVOY}"

    lines = decode(f"{line}\r\n{line}\r\n{line}".encode())

    assert [(made.pointer, made.upstream_host) for made in lines] == [
        ("L1", "10.0.0.1:8080"),
        ("L2", "10.0.0.1:8080"),
    ]


@pytest.mark.parametrize("payload", [b"", b"\n\n", b"Error from server (NotFound): pods not found\n", b"\xff\xfe\x00"])
def test_no_access_log(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


_WORD = st.text(st.characters(codec="utf-8", exclude_characters='\n" \t\r'), min_size=1)
_CLEAN = st.text(st.characters(codec="utf-8", exclude_characters='\n"\r'), min_size=1)
_ANYTHING = st.text(
    st.sampled_from('ab"[]{}\\ 0-1:') | st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1
)
_COUNT = st.integers(0, 10**18 - 1)


@given(
    agent=_ANYTHING,
    request=_CLEAN,
    path=_WORD,
    cluster=_WORD,
    route=_CLEAN,
    details=_WORD,
    counts=st.tuples(*[_COUNT] * 4),
)
def test_whatever_the_client_sends_the_fields_come_back(
    agent: str, request: str, path: str, cluster: str, route: str, details: str, counts: tuple[int, ...]
) -> None:
    numbers = " ".join(map(str, counts))
    line = (
        f'[2026-01-01T12:00:00.123Z] "GET {path} HTTP/1.1" 200 - {details} - "-" {numbers} "10.0.0.9" "{agent}" '
        f'"{request}" "web" "10.0.0.1:80" {cluster} - 10.0.0.2:80 10.0.0.3:1 - {route}'
    )

    made = _read(line)

    assert (made.user_agent or "-", made.request_id or "-", made.authority) == (agent, request, "web")
    assert (made.path or "-", made.details or "-", made.route or "-") == (path, details, route)
    assert made.cluster == (cluster.rstrip(";") if cluster.rstrip(";") != "-" else None) or (
        made.cluster,
        cluster,
    ) == (
        None,
        ";" * len(cluster),
    )
    assert (made.bytes_received, made.bytes_sent, made.duration_ms, made.upstream_ms) == counts


@given(st.binary(max_size=300) | st.builds(lambda tail: HEAD.encode() + tail + b"\n", st.binary(max_size=200)))
def test_any_bytes_are_lines_or_refused(payload: bytes) -> None:
    try:
        lines = decode(payload)
    except NotTheFormError:
        return
    assert [line.pointer for line in lines] == sorted(
        {line.pointer for line in lines}, key=lambda place: int(place[1:])
    )


def test_a_hostile_line_takes_no_quadratic_time() -> None:
    hostile = f"{HEAD} UH " + '" 1 2 3 ' * 200_000

    assert _read(hostile).format == "other"


@pytest.mark.shared
def test_public_lines_of_all_shapes(corpus: Path) -> None:
    found = {
        path.name: sorted({(line.format, line.direction) for line in decode(path.read_bytes())}, key=str)
        for path in sorted((corpus / "access_logs").glob("*.log"))
        if "ztunnel" not in path.name
    }

    assert found == {
        "docs_lines_kumahq_kuma.log": [("other", None)],
        "docs_lines_renuka-fernando_examples.log": [("envoy", None)],
        "docs_lines_solo-io_gloo.log": [("envoy", None)],
        "docs_lines_zirain_playground.log": [("istio-1.9", "outbound"), ("istio-1.9", None)],
        "kiali_waypoint.log": [("istio-1.9", None)],
    }


@pytest.mark.shared
def test_every_access_line_of_the_examples_is_read(examples: Path) -> None:
    for path in sorted(examples.glob("*/*/bug-report/proxies/*/*/istio-proxy.log")):
        payload = path.read_bytes()

        lines = decode(payload)

        assert {line.format for line in lines} == {"istio-1.9"}
        assert len(lines) == sum(line.startswith(b"[20") for line in payload.splitlines())
