"""The commands. Heavy imports stay inside them, so that help comes at once."""

import json
import shlex
import sys
from pathlib import Path
from typing import BinaryIO

import click

from meshforensics.cli._options import AT as _AT
from meshforensics.cli._options import PROFILE as _PROFILE
from meshforensics.cli._options import WINDOW as _WINDOW
from meshforensics.cli._options import Examples
from meshforensics.cli._progress import cells, spinner
from meshforensics.model import Severity, SourceError, UsageError, parse_time
from meshforensics.model.version import __version__
from meshforensics.model.words import count_of
from meshforensics.report.plain_text import plain

SEVERITIES = [severity.value for severity in Severity]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="meshforensics", message="%(prog)s %(version)s")
def cli() -> None:
    """Find out what happened to a service mesh, from captured evidence alone.

    A PATH is a bundle of ours, what `istioctl bug-report` wrote (folder, .tar.gz, .zip), or a file of Envoy's
    admin port. Data goes to stdout, progress to stderr.

    Start with:  meshforensics triage bug-report.tar.gz
    """


@cli.command(
    cls=Examples,
    epilog="""meshforensics capture --dry-run                            what would be asked, and whether it may
    meshforensics capture -o incident.zip
    meshforensics capture -n shop -n payments --budget 90s -o incident
    meshforensics capture --pod shop/web-1 -o web.zip
    meshforensics capture --watch 5m --every 30s -o series.zip             memory, stats, pods, events over time
    meshforensics capture --envoy http://127.0.0.1:15000 -o proxy.zip      no cluster at all""",
)
@click.option("--context", metavar="NAME", default="", help="Context of the kubeconfig; default: the current one.")
@click.option("-n", "--namespace", "namespaces", metavar="NS", multiple=True, help="Only this namespace; repeatable.")
@click.option("--pod", "pods", metavar="NS/POD", multiple=True, help="Only this pod; repeatable.")
@click.option("--envoy", "envoys", metavar="URL", multiple=True, help="Admin port of an Envoy outside Kubernetes.")
@click.option(
    "--budget",
    metavar="SPAN",
    default="4m",
    show_default=True,
    help="How long it (with --watch: each whole capture) may take.",
)
@click.option("--watch", metavar="SPAN", default="", help="Then sample for so long, and end with a whole capture.")
@click.option("--every", metavar="SPAN", default="30s", show_default=True, help="From one sample to the next.")
@click.option(
    "--prometheus",
    metavar="URL|NS/SERVICE:PORT|auto",
    default="",
    help="Ask a Prometheus for ranges too: by its address, or through the API server (auto: look for it).",
)
@click.option("--window", metavar="SPAN", default="1h", show_default=True, help="How far back Prometheus is asked.")
@click.option("--application-logs", is_flag=True, help="Read the logs of the applications beside proxies too.")
@click.option("--log-since", metavar="SPAN", default="", help="Read only so much of each log, as 2h.")
@click.option("--redact-hosts", is_flag=True, help="Replace addresses and names of hosts by pseudonyms.")
@click.option(
    "--profile",
    metavar="FILE",
    default="default",
    help="Says by memory.dump-at and memory.dump-share when a watch takes all of a proxy.",
)
@click.option("--no-secrets", is_flag=True, help="Read neither names of Secrets nor certificates in those of the mesh.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked and which permissions are given; write nothing.")
@click.option("-o", "--output", metavar="BUNDLE", default="", help="Where to write; .zip seals one file.")
def capture(
    context: str,
    namespaces: tuple[str, ...],
    pods: tuple[str, ...],
    envoys: tuple[str, ...],
    budget: str,
    watch: str,
    every: str,
    prometheus: str,
    window: str,
    application_logs: bool,
    log_since: str,
    redact_hosts: bool,
    profile: str,
    no_secrets: bool,
    dry_run: bool,
    output: str,
) -> int:
    """Capture the evidence of a running mesh, within a fixed time.

    Only reads: lists of objects, logs, and GETs of pages that change nothing, through port-forward or exec.
    Best evidence first, sick pods before well ones; what was refused, failed or did not fit is in the bundle
    with its reason. Ctrl-C leaves a whole bundle.
    """
    from meshforensics.capture import Options, preview
    from meshforensics.capture import capture as take
    from meshforensics.cli._capture import plan, summary
    from meshforensics.investigation import parse_span

    options = Options(
        context=context,
        namespaces=namespaces,
        pods=pods,
        envoys=envoys,
        budget=parse_span(budget).total_seconds(),
        watch=parse_span(watch).total_seconds() if watch else 0.0,
        every=parse_span(every).total_seconds(),
        prometheus=prometheus,
        window=parse_span(window).total_seconds(),
        application_logs=application_logs,
        log_since=parse_span(log_since).total_seconds() if log_since else 0.0,
        redact_hosts=redact_hosts,
        secrets=not no_secrets,
        profile=profile,
    )
    if dry_run:
        for line in plan(preview(options)):
            click.echo(plain(line))
        return 0
    if not output:
        raise UsageError("give -o BUNDLE to write to, or --dry-run")
    with spinner("capturing") as say:
        captured = take(options, output, say)
    for line in summary(output, captured):
        click.echo(plain(line))
    if not captured.useful:
        raise SourceError(f"nothing could be captured; {output} says why of each item")
    return 130 if captured.stopped else 0


@cli.command(
    "import",
    cls=Examples,
    epilog="""meshforensics import bug-report.tar.gz -o incident.zip
    meshforensics import before/ during/ -o incident          one bundle with a series
    meshforensics import bug-report.tar.gz --redact-hosts -o shareable.zip""",
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("-o", "--output", metavar="BUNDLE", required=True, help="Where to write; .zip seals one file.")
@click.option("--redact-hosts", is_flag=True, help="Replace addresses and names of hosts by pseudonyms.")
@click.option(
    "--pseudonym-key", metavar="FILE", type=click.File("rb"), help="Key that several bundles' pseudonyms share."
)
def import_(sources: tuple[str, ...], output: str, redact_hosts: bool, pseudonym_key: BinaryIO | None) -> int:
    """Read foreign evidence of one mesh into a bundle.

    Private keys, tokens and Secret values are replaced before anything is written. Several reports of one
    mesh become a series; reports of different meshes are refused.
    """
    from meshforensics.importers import import_evidence
    from meshforensics.investigation import shipped

    with spinner("importing") as say:
        key = pseudonym_key.read() if pseudonym_key else b""
        paths = [shipped(source) for source in sources]
        bundle = import_evidence(paths, output, redact_hosts=redact_hosts, pseudonym_key=key, progress=say)
    absent = sum(item.status != "captured" for item in bundle.items)
    click.echo(f"{output}: {count_of(len(bundle.items), 'item')}, {absent} not (wholly) captured, id {bundle.id}")
    return 0


@cli.command(
    cls=Examples,
    epilog="""meshforensics triage bug-report.tar.gz
    meshforensics triage config_dump.json
    meshforensics triage incident.zip --at 2026-11-23T18:40:00Z --window 5m
    meshforensics triage incident.zip --format json --fail-on critical""",
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@_AT
@_WINDOW
@click.option("-n", "--namespace", metavar="NS", default="", help="Show findings about this namespace only.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--fail-on", type=click.Choice(SEVERITIES), default="error", show_default=True, help="Exit 1 from here.")
@_PROFILE
def triage(paths: tuple[str, ...], at: str, window: str, namespace: str, form: str, fail_on: str, profile: str) -> int:
    """Print a verdict and the findings, within a screen.

    Exits with 1 when a finding is at or above --fail-on.
    """
    from meshforensics.investigation import open_evidence
    from meshforensics.report.triage_json import triage_document
    from meshforensics.report.triage_markdown import triage_markdown
    from meshforensics.report.triage_text import triage_text, worst

    with spinner("reading"):
        case = open_evidence(paths, at=at, window=window, profile=profile)
        if namespace:
            case = case.within(namespace)
        findings = case.findings
        name = shlex.join(paths)
        if form == "json":
            said = json.dumps(triage_document(case), indent=2, ensure_ascii=False) + "\n"
        else:
            said = triage_text(case, name) if form == "text" else triage_markdown(case, name)
    click.echo(said, nl=False)
    reached = worst(findings)
    return 1 if reached is not None and reached.rank <= Severity(fail_on).rank else 0


@cli.command(
    cls=Examples,
    epilog="""meshforensics report bug-report.tar.gz -o report/
    meshforensics report incident.zip --incident ca-rotation -o report/
    meshforensics report incident.zip --incident my_notebook.ipynb -p team payments -o report/""",
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--incident", metavar="auto|ID|NOTEBOOK", default="auto", show_default=True, help="What to explain.")
@click.option("-p", "--parameter", "parameters", metavar="NAME VALUE", nargs=2, multiple=True, help="For the notebook.")
@click.option("-o", "--output", metavar="DIR", required=True, type=click.Path(file_okay=False, path_type=Path))
@_AT
@_PROFILE
def report(
    paths: tuple[str, ...],
    incident: str,
    parameters: tuple[tuple[str, str], ...],
    output: Path,
    at: str,
    profile: str,
) -> int:
    """Write an incident report as one HTML page.

    In DIR are then report.html, report.md, report.ipynb, triage.json and figures/. The last line
    printed is the path of the page. Exits with 2 when a section failed; the report then says so and holds
    the rest.
    """
    from meshforensics.investigation import open_evidence
    from meshforensics.report import write_report

    with spinner("reading"):
        case = open_evidence(paths, at=at, profile=profile)
        given = paths[0] if len(paths) == 1 else paths
        _ = case.hypotheses
    with cells() as advance:
        written = write_report(
            case, given, output, incident=incident, profile=profile, parameters=dict(parameters), progress=advance
        )
    for reason in written.reasons:
        click.echo(f"meshforensics: {output} is partial: {' '.join(reason.split())}", err=True)
    click.echo(str(written.html))
    return 2 if written.partial else 0


@cli.command(
    cls=Examples,
    epilog="""meshforensics tables incident.zip                                  which tables there are
    meshforensics tables incident.zip certificates --format csv
    meshforensics tables incident.zip --sql "select subject_id, not_after from certificates where role = 'root'" """,
)
@click.argument("path", metavar="PATH")
@click.argument("table", metavar="[TABLE]", default="")
@click.option(
    "--format", "form", type=click.Choice(["text", "csv", "json", "parquet"]), default="text", show_default=True
)
@click.option("--sql", metavar="QUERY", default="", help="Ask the tables by SQL (DuckDB).")
@_AT
def tables(path: str, table: str, form: str, sql: str, at: str) -> int:
    """Print a table, the answer of a query, or what tables there are.

    Without TABLE: every table with its rows, meaning and columns, and why it is empty; --format json adds
    the type, unit and source of each column.
    """
    from meshforensics.cli._tables import declarations, listing, write_frame
    from meshforensics.investigation import open_evidence
    from meshforensics.tables import declared_tables

    if table and sql:
        raise UsageError("give a table or --sql, not both")
    with spinner("reading"):
        case = open_evidence(path, at=at)
        frame = case.sql(sql) if sql else case.frame(table) if table else case.tables
    if table or sql:
        write_frame(frame, form, sys.stdout)
        if table and case.reason(table):
            click.echo(f"meshforensics: {table} is empty: {case.reason(table)}", err=True)
    elif form == "json":
        click.echo(json.dumps(declarations(declared_tables().values(), frame), indent=2, ensure_ascii=False))
    elif form == "text":
        click.echo(listing(declared_tables().values(), frame), nl=False)
    else:
        write_frame(frame.reset_index(), form, sys.stdout)
    return 0


@cli.command(
    cls=Examples,
    epilog="""meshforensics replay incident.zip
    meshforensics replay bug-report.tar.gz --at 2026-11-23T18:48:12Z
    meshforensics replay series.zip --from 2026-11-23T18:40:00Z --speed 10   let time pass, for watches
    kubectl get pods -A                                     in another shell, with the line pasted""",
)
@click.argument("path", metavar="PATH")
@click.option("--at", metavar="TIME", default="", help="Show the state as of this instant (2026-11-23T18:48:12Z).")
@click.option("--from", "begin", metavar="TIME", default="", help="Let time pass from here until that instant.")
@click.option("--speed", metavar="N", type=float, default=1.0, help="Seconds of the bundle that pass in one.")
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=0, help="On loopback; default: a free one.")
def replay(path: str, at: str, begin: str, speed: float, port: int) -> int:
    """Serve a bundle as a read-only Kubernetes API, for kubectl.

    Prints one line to paste into another shell, and serves until Ctrl-C: get, describe, logs, exec of
    `pilot-agent request GET`, port-forward to the admin ports. Nothing is changed; what was not captured is
    answered by its name and the reason.
    """
    from meshforensics.cli._replay import until_interrupted
    from meshforensics.investigation import open_evidence
    from meshforensics.replay import replay as serve

    with spinner("reading"):
        case = open_evidence(path, at=at)
    start = parse_time(begin) if begin else None
    with until_interrupted() as wait, serve(case.bundle, at=case.at, begin=start, speed=speed, port=port) as served:
        click.echo(f"export KUBECONFIG={shlex.quote(str(served.kubeconfig))}")
        sys.stdout.flush()
        wait()
    return 0


@cli.command(
    cls=Examples,
    epilog="""meshforensics checks
    meshforensics checks certificates.root-expired
    meshforensics checks --profile guide""",
)
@click.argument("check", metavar="[ID]", default="")
@_PROFILE
def checks(check: str, profile: str) -> int:
    """Print the checks with their limits, or one of them whole."""
    from meshforensics.cli._checks import declaration, listing
    from meshforensics.profile import load_profile

    limits = load_profile(profile)
    click.echo(declaration(check, limits) if check else listing(limits), nl=False)
    return 0


@cli.command(cls=Examples, epilog="meshforensics verify incident.zip")
@click.argument("path", metavar="PATH")
def verify(path: str) -> int:
    """Check a bundle against its hashes.

    Names each damaged, missing or unexpected member. Exits with 1 when there is any.
    """
    from meshforensics.bundle import verify as verify_bundle
    from meshforensics.investigation import shipped

    with spinner("verifying"):
        damage = verify_bundle(shipped(path))
    for each in damage:
        click.echo(plain(f"{each.member}: {each.problem}"))
    if not damage:
        click.echo(f"{path}: every member is as it was sealed")
    return 1 if damage else 0
