"""Run every scenario of the lab with several seeds, judge each bundle, write docs/lab-matrix.md: ``make lab-matrix``.

By hand: it takes more than an hour. Results are kept one by one in a folder, so that it goes on where it was stopped.
Each run is laid out as the labelled captures of ``../shared/captures-examples`` are: ``truth.json`` beside ``during``.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

import meshforensics as mf
from meshforensics.incidents import declared_incidents
from meshforensics.lab import declared_scenarios, truth_file
from meshforensics.model import Severity, now
from meshforensics.report.triage_json import triage_document

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "lab-matrix.md"
LONGEST = 240
SIGNS = {"supported": "●", "possible": "○", "undetermined": "·", "refuted": ""}
HEAD = """\
# Each incident of the lab against each hypothesis

<!-- Written by `make lab-matrix`; a change here is overwritten. -->

Runs of {date}, with seeds {seeds}: {right} of {runs} are right, which means that the top verdict is what the lab really
did, no other incident is `supported` but those that the [truth](lab.md) allows, every subject is named, and a healthy
mesh has no finding of severity error. A run took {least:.0f} to {most:.0f} s, its capture included.

● supported, ○ possible, · undetermined, empty: refuted; the most that any seed came to. A series of a minute can at
most be `possible` for `memory-leak`, whose profile asks for two hours.
"""

Result = dict[str, Any]


def judged(bundle: Path, truth: dict[str, Any]) -> Result:
    """What triage says of a bundle, and what of it is wrong."""
    case = mf.open(bundle)
    document = triage_document(case)
    statuses = {each["incident"]: each["status"] for each in document["hypotheses"]}
    text = json.dumps(document)
    accepted = truth.get("accept") or [truth["incident"]]
    allowed = {truth["incident"], *accepted, *truth.get("allow", [])}
    errors = sorted({each.check for each in case.findings if each.severity in {Severity.ERROR, Severity.CRITICAL}})
    top = document["verdict"].get("incident")
    faults = [] if top in accepted else [f"top verdict {top} ({document['verdict'].get('status')})"]
    faults += [f"{name} supported" for name, said in statuses.items() if said == "supported" and name not in allowed]
    faults += [f"{name} not named" for name in truth.get("subjects", []) if name not in text]
    faults += [f"finding of error: {each}" for each in errors if truth["incident"] == "healthy"]
    return {"top": top, "status": document["verdict"].get("status"), "statuses": statuses, "faults": faults}


def reproduce(scenario: str, seed: int, folder: Path) -> Result:
    """Run one scenario as a user does, and judge what it left."""
    folder.mkdir(parents=True)
    bundle = folder / "during"
    command = [sys.executable, "-m", "meshforensics", "lab", "run", scenario, "-o", str(bundle), "--seed", str(seed)]
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as running:  # noqa: S603
        try:
            said = running.communicate(timeout=LONGEST)[1]
        except subprocess.TimeoutExpired:
            running.terminate()
            said = f"took more than {LONGEST} s: {running.communicate()[1]}"
    spent = round(time.monotonic() - started, 1)
    about = {"scenario": scenario, "seed": seed, "seconds": spent, "date": now().date().isoformat()}
    if running.returncode:
        return {**about, "top": None, "status": None, "statuses": {}, "faults": [said.strip()[-300:]]}
    truth_file(str(bundle)).rename(folder / "truth.json")
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return {**about, "incident": truth["incident"], **judged(bundle, truth)}


def page(results: Iterable[Result]) -> str:
    """The page of all results."""
    found = sorted(results, key=lambda each: (each["scenario"], each["seed"]))
    seconds = [each["seconds"] for each in found]
    head = HEAD.format(
        date=", ".join(sorted({each["date"] for each in found})),
        seeds=", ".join(str(each) for each in sorted({each["seed"] for each in found})),
        right=sum(not each["faults"] for each in found),
        runs=len(found),
        least=min(seconds),
        most=max(seconds),
    )
    wrong = [
        f"- `{each['scenario']}`, seed {each['seed']}: {'; '.join(each['faults'])}" for each in found if each["faults"]
    ]
    told = ["## What is not right", "", *wrong] if wrong else ["Every run was right."]
    return "\n".join([head, *_matrix(found), "", *told]) + "\n"


def _matrix(found: list[Result]) -> list[str]:
    names = [name for name in declared_incidents() if any(name in each["statuses"] for each in found)]
    numbers = {name: str(number) for number, name in enumerate(names, 1)}
    lines = [
        "| scenario | " + " | ".join(numbers.values()) + " |",
        "|---|" + ":-:|" * len(names),
    ]
    order = list(SIGNS)
    for scenario in dict.fromkeys(each["scenario"] for each in found):
        runs = [each for each in found if each["scenario"] == scenario]
        cells = []
        for name in names:
            said = [each["statuses"].get(name, "refuted") for each in runs]
            cells.append(SIGNS[min(said, key=order.index)])
        lines.append(f"| `{scenario}` | " + " | ".join(cells) + " |")
    legend = ", ".join(f"{number} `{name}`" for name, number in numbers.items())
    return [*lines, "", f"Hypotheses: {legend}."]


def _keep(folder: Path, result: Result) -> None:
    (folder / "result.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    said = "ok" if not result["faults"] else f"WRONG {'; '.join(result['faults'])}"
    click.echo(f"{folder.name}: {result['top']} ({result['status']}), {result['seconds']} s: {said}")


@click.command()
@click.argument("scenarios", nargs=-1)
@click.option("--seeds", default="1,2,3", help="Which seeds, with commas.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where results are kept.")
@click.option("--write/--no-write", default=True, help="Whether the page of the docs is written.")
@click.option("--again", is_flag=True, help="Judge what was kept once more, by the code as it is.")
def main(scenarios: tuple[str, ...], seeds: str, out: Path, write: bool, again: bool) -> None:
    """Run what was not run yet, and write the page."""
    for kept in sorted(out.glob("*/truth.json")) if again else ():
        result = json.loads((kept.parent / "result.json").read_text(encoding="utf-8"))
        _keep(kept.parent, {**result, **judged(kept.parent / "during", json.loads(kept.read_text(encoding="utf-8")))})
    for scenario in scenarios or tuple(declared_scenarios()):
        for seed in (int(each) for each in seeds.split(",")):
            folder = out / f"{scenario}-s{seed}"
            if (folder / "result.json").is_file():
                continue
            _keep(folder, reproduce(scenario, seed, folder))
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("*/result.json"))]
    if write:
        PAGE.write_text(page(results), encoding="utf-8")
    sys.exit(any(each["faults"] for each in results))


if __name__ == "__main__":
    main()
