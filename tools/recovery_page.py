"""The page docs/recovery.md, from the declared steps and plans."""

from meshforensics.recovery import EVIDENCE_ONLY, OF_LINKERD, RECIPES, Mesh, declared_steps, ordered
from tools import commands

RECOVERY = """\
`meshforensics recover PATH` prints the ordered plan for the verdict: each step with its precondition, the commands
for the names in this bundle, its risk, how to verify it and how to undo it. `--format markdown` is for a runbook;
`--incident ID` plans for another hypothesis. The same plan is in the report. **Nothing is ever run.**

- A verdict that is neither supported nor possible gets steps that keep and gather evidence, and no other. A possible
  one is settled first.
- The order is that of what depends on what: capture, then state (certificates, policies, objects), then the control
  plane that computes and signs, then restarts of what needs one, callees before callers, gateways last; then verify,
  then close what was opened. A proxy with a valid old configuration or certificate is never restarted before.
- Backups come before changes: a plan that would change an object which it did not save before cannot be made.
- Names come from the evidence, and evidence may be hostile: what Kubernetes would not let an object be called enters no
  command, and the plan says what it left out; every word is quoted where a shell needs it. Words of the evidence never
  stand among lines that are pasted.
- A name that the bundle does not tell is a word in capitals (`NAMESPACE`), which no object can be called.
- API versions and the forms of `istioctl` go by the version of Istio in the bundle."""

UNCHECKED = """\
Tests run every `kubectl` call of every plan by a real kubectl against a [replay](replay.md) of a shipped capture:
reading calls as they are, changing ones with `--dry-run=client`, files with `diff`, and restarts until the replay
refuses to write. These beginnings of commands no test can run so, because nothing here answers them:"""


def text(note: str) -> str:
    """The page: every incident's plan, and every step; `note` says that it is generated."""
    known = declared_steps()
    of_linkerd = [(f"{name}, of Linkerd", recipe) for name, recipe in sorted(OF_LINKERD.items())]
    plans = [
        f"| `{name}` | {cell(recipe.title)} | {', '.join(ordered(recipe.steps, known))} |"
        for name, recipe in (*sorted(RECIPES.items()), *of_linkerd, ("undetermined", EVIDENCE_ONLY))
    ]
    steps = [
        f"| `{each.id}` | {each.stage} | {each.plane} | {cell(each.title)} | {cell(each.when)} | {cell(each.risk)} |"
        for each in known.values()
    ]
    unchecked = commands.unchecked(commands.commands_of(commands.parts_of(Mesh())))
    parts = [
        "# Recovery",
        note,
        RECOVERY,
        "## Plans",
        "\n".join(["| verdict | in one line | steps, in order |\n|---|---|---|", *plans]),
        "## Steps",
        "\n".join(["| step | for | plane | what | when | risk |\n|---|---|---|---|---|---|", *steps]),
        "## What of the commands is checked",
        UNCHECKED,
        "\n".join(f"- `{each}`" for each in unchecked),
    ]
    return "\n\n".join(parts) + "\n"


def cell(said: str) -> str:
    """Text as a cell of a table."""
    return " ".join(said.split()).replace("|", "\\|").replace("<", "&lt;")
