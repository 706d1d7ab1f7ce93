"""The commands that print advice: a recovery plan, and the debugging guide as it is right today."""

import click

from meshforensics.cli._commands import cli
from meshforensics.cli._options import AT, PROFILE, Examples
from meshforensics.cli._progress import spinner


@cli.command(
    cls=Examples,
    epilog="""meshforensics recover incident.zip
    meshforensics recover incident.zip --format markdown > plan.md
    meshforensics recover incident.zip --incident config-rejected          another hypothesis than the verdict""",
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@AT
@click.option("--incident", metavar="auto|ID", default="auto", show_default=True, help="What to recover from.")
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", show_default=True)
@PROFILE
def recover(paths: tuple[str, ...], at: str, incident: str, form: str, profile: str) -> int:
    """Print the ordered plan for the verdict, as advice.

    Each step has its precondition, the commands for the names in this bundle, risk, verification and undo;
    backups come before what they save is changed. Nothing is ever run. Without a cause it keeps evidence only.
    """
    from meshforensics.investigation import open_evidence
    from meshforensics.recovery import plan_for
    from meshforensics.report.recovery_markdown import recovery_markdown
    from meshforensics.report.recovery_text import recovery_text

    with spinner("reading"):
        case = open_evidence(paths, at=at, profile=profile)
        plan = plan_for(case, paths, incident)
    click.echo(recovery_text(case, plan) if form == "text" else recovery_markdown(case, plan), nl=False)
    return 0


@cli.command(
    cls=Examples,
    epilog="""meshforensics guide                                                   the topics
    meshforensics guide certificates --bundle incident.zip
    meshforensics guide debug-route --service shop/payment
    meshforensics guide connection-pools --profile guide                  with the guide's own numbers""",
)
@click.argument("topic", metavar="[TOPIC]", default="")
@click.option("--bundle", metavar="PATH", default="", help="Take names, versions and namespaces from this bundle.")
@click.option("--service", metavar="NS/NAME", default="", help="The service to print it for.")
@AT
@PROFILE
def guide(topic: str, bundle: str, service: str, at: str, profile: str) -> int:
    """Print the debugging guide's commands as they are right today.

    With --bundle for the names, versions and namespaces in it; else the general form, with placeholders in
    capitals. What the guide invented or has wrong is said below.
    """
    from meshforensics.cli._guide import overview, whole
    from meshforensics.guide import general_setting, setting_of, topic_named
    from meshforensics.profile import load_profile

    chosen = topic_named(topic) if topic else None
    if bundle:
        from meshforensics.investigation import open_evidence

        with spinner("reading"):
            setting, about = setting_of(open_evidence(bundle, at=at, profile=profile), service, bundle)
    else:
        setting, about = general_setting(service, load_profile(profile))
    click.echo(whole(chosen, setting, about) if chosen else overview(setting, about), nl=False)
    return 0
