"""What each command prints about a shipped capture."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from meshforensics.bundle import open_bundle
from meshforensics.checks import declared_checks
from meshforensics.cli import main
from meshforensics.guide import declared_topics
from meshforensics.profile import load_profile
from meshforensics.tables import declared_tables

pytestmark = pytest.mark.usefixtures("untraced")

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder: short paths of shipped captures must lead from there too."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("elsewhere")
def test_triage_of_an_incident_exits_with_1(capsys: Captured) -> None:
    code = main(["triage", "captures/ca-rotation"])

    said = capsys.readouterr()
    assert (code, said.err) == (1, "")
    assert said.out.startswith("ca-rotation  SUPPORTED, confidence 1.00")
    assert "\nNext  meshforensics recover captures/ca-rotation\n" in said.out


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(("fail_on", "code"), [("critical", 0), ("error", 0), ("warning", 0), ("info", 1)])
def test_triage_exits_with_1_from_the_severity_asked_for(fail_on: str, code: int, capsys: Captured) -> None:
    assert main(["triage", "captures/healthy", "--fail-on", fail_on]) == code

    assert capsys.readouterr().out.startswith("healthy  SUPPORTED")


@pytest.mark.usefixtures("elsewhere")
def test_triage_of_one_namespace_shows_its_findings_and_the_verdict_of_the_mesh(capsys: Captured) -> None:
    main(["triage", "captures/upgrade-503", "-n", "bank", "--format", "json"])

    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["verdict"]["incident"] == "upgrade-503"
    outside = [
        finding["check"]
        for finding in document["findings"]
        if not any(subject.split(":")[-1].startswith("bank/") for subject in finding["subjects"])
    ]
    assert outside == []
    assert document["findings"]


@pytest.mark.usefixtures("elsewhere")
def test_triage_of_an_unknown_namespace_names_those_there_are(capsys: Captured) -> None:
    assert main(["triage", "captures/healthy", "-n", "shop"]) == 2

    assert capsys.readouterr().err == ("meshforensics: no namespace 'shop'; there are: bank, istio-system, risk\n")


@pytest.mark.usefixtures("elsewhere")
def test_triage_as_of_an_earlier_instant_hides_what_came_later(capsys: Captured) -> None:
    main(["triage", "captures/ca-rotation", "--at", "2026-11-26T05:23:50Z", "--format", "json"])

    document = json.loads(capsys.readouterr().out)
    assert document["bundle"]["at"] == "2026-11-26T05:23:50Z"
    assert document["verdict"]["incident"] != "ca-rotation"


@pytest.mark.usefixtures("elsewhere")
def test_triage_as_markdown(capsys: Captured) -> None:
    main(["triage", "captures/ca-rotation", "--format", "markdown"])

    assert capsys.readouterr().out.splitlines()[0] == "# ca-rotation supported"


@pytest.mark.usefixtures("elsewhere")
def test_the_same_triage_is_the_same_bytes(capsys: Captured) -> None:
    def said() -> str:
        main(["triage", "captures/upgrade-503", "--format", "json"])
        return capsys.readouterr().out

    assert said() == said()


@pytest.mark.usefixtures("elsewhere")
def test_tables_lists_every_table(capsys: Captured) -> None:
    assert main(["tables", "captures/healthy"]) == 0

    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert listed == list(declared_tables())


@pytest.mark.usefixtures("elsewhere")
def test_tables_as_json_declares_every_column(capsys: Captured) -> None:
    main(["tables", "captures/healthy", "--format", "json"])

    said = {each["table"]: each for each in json.loads(capsys.readouterr().out)}
    assert [column["name"] for column in said["memory"]["columns"]] == [
        column.name for column in declared_tables()["memory"].all_columns
    ]
    assert said["ztunnel_connections"]["reason"] == "not captured: ztunnel_connections"


@pytest.mark.usefixtures("elsewhere")
def test_a_table_without_rows_says_why_on_stderr(capsys: Captured) -> None:
    name = "ztunnel_connections"
    assert main(["tables", "captures/healthy", name, "--format", "csv"]) == 0

    said = capsys.readouterr()
    assert said.out.splitlines() == [",".join(column.name for column in declared_tables()[name].all_columns)]
    assert said.err == f"meshforensics: {name} is empty: not captured: {name}\n"


@pytest.mark.usefixtures("elsewhere")
def test_an_unknown_table_is_an_error_that_lists_the_known_ones(capsys: Captured) -> None:
    assert main(["tables", "captures/healthy", "nope"]) == 2

    known = ", ".join(declared_tables())
    assert capsys.readouterr() == ("", f"meshforensics: no table 'nope'; did you mean 'nodes'? there are: {known}\n")


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("query", "code", "out"),
    [
        pytest.param("select count(*) as n from memory", 0, "n\n8\n", id="rows"),
        pytest.param("with x as (select pod from memory) select count(*) as n from x", 0, "n\n8\n", id="with"),
        pytest.param("selec", 2, "", id="no-sql"),
        pytest.param("select * from read_csv('/etc/passwd')", 2, "", id="reads-files"),
        pytest.param("copy memory to 'out.csv'", 2, "", id="writes-files"),
        pytest.param("select * from nope", 2, "", id="unknown-table"),
    ],
)
def test_sql(query: str, code: int, out: str, capsys: Captured, elsewhere: Path) -> None:
    assert main(["tables", "captures/healthy", "--sql", query, "--format", "csv"]) == code

    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == (out, 1 if code else 0)
    assert list(elsewhere.iterdir()) == []


def test_checks_lists_every_check(capsys: Captured) -> None:
    assert main(["checks"]) == 0

    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line and not line.startswith(" ")] == list(declared_checks())
    assert last == f"limits of profile default, SHA-256 {load_profile().sha256}"


@pytest.mark.parametrize("name", list(declared_checks()))
def test_checks_prints_one_declaration_whole(name: str, capsys: Captured) -> None:
    assert main(["checks", name]) == 0

    said = " ".join(capsys.readouterr().out.split())
    declared = declared_checks()[name]
    assert said.startswith(f"{name} title: {' '.join(declared.title.split())} phase: {declared.phase.value} ")
    assert said.endswith(f"source: {' '.join(declared.source.split())}")


def test_an_unknown_check_is_an_error(capsys: Captured) -> None:
    assert main(["checks", "certificates.nope"]) == 2

    known = ", ".join(declared_checks())
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("meshforensics: no check 'certificates.nope'; ")
    assert err.endswith(f"there are: {known}\n")


def test_verify_of_a_sound_bundle(capsys: Captured, elsewhere: Path) -> None:
    assert main(["verify", "captures/healthy"]) == 0

    assert capsys.readouterr() == ("captures/healthy: every member is as it was sealed\n", "")
    assert list(elsewhere.iterdir()) == []


def test_verify_names_what_is_damaged_missing_and_unexpected(captures: Path, tmp_path: Path, capsys: Captured) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(captures / "healthy", bundle)
    first, second = sorted((bundle / "data").rglob("*.zst"))[:2]
    first.write_bytes(first.read_bytes()[:-1] + b"?")
    second.unlink()
    (bundle / "data" / "stray").write_text("not ours")

    assert main(["verify", str(bundle)]) == 1

    named = {line.split(": ")[0] for line in capsys.readouterr().out.splitlines()}
    assert named == {str(first.relative_to(bundle)), str(second.relative_to(bundle)), "data/stray"}


@pytest.mark.parametrize("output", ["bundle", "bundle.zip"])
def test_import_writes_a_bundle_of_the_same_id(output: str, captures: Path, tmp_path: Path, capsys: Captured) -> None:
    wanted = open_bundle(str(captures / "healthy")).id

    assert main(["import", str(captures / "healthy"), "-o", str(tmp_path / output)]) == 0

    assert capsys.readouterr().out.endswith(f", id {wanted}\n")
    assert open_bundle(str(tmp_path / output)).id == wanted


def test_import_does_not_overwrite(captures: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "bundle.zip").write_bytes(b"mine")

    assert main(["import", str(captures / "healthy"), "-o", str(tmp_path / "bundle.zip")]) == 2

    assert capsys.readouterr().err.count("\n") == 1
    assert hashlib.sha256((tmp_path / "bundle.zip").read_bytes()).digest() == hashlib.sha256(b"mine").digest()


def test_report_ends_with_the_path_of_the_page(captures: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "out"

    assert main(["report", str(captures / "healthy"), "-o", str(out)]) == 0

    said = capsys.readouterr()
    assert (said.out.splitlines()[-1], said.err) == (str(out / "report.html"), "")
    assert {"report.html", "report.md", "report.ipynb", "triage.json", "figures"} == {
        path.name for path in out.iterdir()
    }


def test_report_refuses_an_unknown_parameter(captures: Path, tmp_path: Path, capsys: Captured) -> None:
    arguments = ["report", str(captures / "healthy"), "-p", "nope", "1", "-o", str(tmp_path / "out")]

    assert main(arguments) == 2

    assert capsys.readouterr() == (
        "",
        "meshforensics: no parameter 'nope'; there are: at, bundle, incident, profile\n",
    )


def test_recover_prints_the_plan_with_the_names_of_the_bundle(capsys: Captured, elsewhere: Path) -> None:
    assert main(["recover", "captures/upgrade-503", "--incident", "config-rejected"]) == 0

    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("config-rejected  SUPPORTED")
    assert "kubectl -n bank get envoyfilters.networking.istio.io/cart-metadata -o yaml" in out
    assert "Do not restart the proxy" in out


def test_recover_of_an_unknown_incident_is_an_error(capsys: Captured, elsewhere: Path) -> None:
    assert main(["recover", "captures/healthy", "--incident", "healty"]) == 2

    assert capsys.readouterr().err.startswith("meshforensics: no incident 'healty'; did you mean 'healthy'?")


def test_guide_lists_its_topics(capsys: Captured) -> None:
    assert main(["guide"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:-2] if not line.startswith(" ")] == list(declared_topics())


@pytest.mark.parametrize("name", list(declared_topics()))
def test_guide_prints_a_topic_and_what_the_guide_says_of_it(name: str, capsys: Captured) -> None:
    assert main(["guide", name, "--service", "shop/payment"]) == 0

    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"{name}: ")
    said = out.partition("What the guide says of it")[2]
    assert [line.split()[0] for line in said.splitlines() if line[2:3].isdigit()] == list(
        declared_topics()[name].claims
    )


def test_guide_takes_names_from_a_bundle(capsys: Captured, elsewhere: Path) -> None:
    assert main(["guide", "breakers", "--bundle", "captures/upgrade-503", "--service", "bank/menu"]) == 0

    assert "kubectl -n bank exec desk-v3-4jr6bvk7s-2fh26 -c istio-proxy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["breaker"], "no topic 'breaker'; did you mean 'breakers'?"),
        (["breakers", "--service", "a b/c"], "'a b/c' is no service"),
        (["breakers", "--bundle", "captures/healthy", "--service", "bank/nope"], "no service 'bank/nope'"),
    ],
)
def test_guide_of_what_is_not_there_is_an_error(
    arguments: list[str], said: str, capsys: Captured, elsewhere: Path
) -> None:
    assert main(["guide", *arguments]) == 2

    assert capsys.readouterr().err.startswith(f"meshforensics: {said}")
