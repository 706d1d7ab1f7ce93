"""The plan as Markdown: every command in a fence, captured text never markup."""

from meshforensics.recovery import Command, plan_for
from meshforensics.report.recovery_markdown import recovery_markdown
from tests.report.stand_in import case, hypothesis


def test_every_step_has_its_commands_and_what_to_know() -> None:
    told = case()
    plan = plan_for(told, ("x.zip",))

    said = recovery_markdown(told, plan)

    lines = said.splitlines()
    assert lines[0] == "# Both roots first, then restarts, then one root"
    assert [line for line in lines if line.startswith("### ")] == [
        f"### Step {number}: {each.step.title} ({each.step.stage}, {each.step.plane} plane)"
        for number, each in enumerate(plan.steps, start=1)
    ]
    for label in ("When", "Risk", "Verify", "Undo"):
        assert sum(line.startswith(f"- {label}: ") for line in lines) == len(plan.steps)
    commands = [part.shell for each in plan.steps for part in each.deed.do if isinstance(part, Command)]
    assert [each for each in commands if each not in lines] == []


def test_a_hostile_name_is_text() -> None:
    told = case(hypotheses=(hypothesis(subjects=("VirtualService:shop/`id`\n# x",)),))

    said = recovery_markdown(told, plan_for(told, ("x.zip",)))

    assert "\\`id\\`" in said
    assert "\n# x" not in said


def test_the_path_is_quoted() -> None:
    told = case()

    assert "meshforensics import 'a b; id' -o incident.zip" in recovery_markdown(told, plan_for(told, ("a b; id",)))
