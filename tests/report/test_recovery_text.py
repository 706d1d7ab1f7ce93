"""The plan for a terminal: words wrapped, commands whole, captured control characters spelled out."""

from meshforensics.model import Standing
from meshforensics.recovery import plan_for
from meshforensics.report.recovery_text import WIDTH, recovery_text
from tests.report.stand_in import case, hypothesis


def test_the_head_says_verdict_plan_and_what_not_to_do() -> None:
    told = case()

    lines = recovery_text(told, plan_for(told, ("x.zip",))).splitlines()

    assert lines[0].split()[:2] == ["ca-rotation", "SUPPORTED,"]
    assert lines[1].startswith("Both roots first, then restarts, then one root.")
    assert lines[2].endswith("steps, profile default; nothing of this is run for you.")
    assert lines[3].strip().startswith("Do not restart callers before both roots are given out")


def test_words_are_wrapped_and_commands_are_not() -> None:
    told = case()
    plan = plan_for(told, ("x.zip",))

    said = recovery_text(told, plan)

    commands = [part.shell for each in plan.steps for part in each.parts if not isinstance(part, str)]
    assert [each for each in commands if each.splitlines()[0] not in said] == []
    long = [line for line in said.splitlines() if len(line) > WIDTH]
    assert [line for line in long if not any(each.splitlines()[0] in line for each in commands)] == []


def test_without_a_cause_it_says_so_and_keeps_evidence() -> None:
    told = case(hypotheses=(hypothesis(status=Standing.UNDETERMINED),))

    said = recovery_text(told, plan_for(told, ("x.zip",)))

    assert said.startswith("undetermined")
    assert "it names no cause" in said
    assert "kubectl" not in said


def test_a_name_that_would_drive_a_terminal_is_spelled_out() -> None:
    told = case(hypotheses=(hypothesis(subjects=("VirtualService:shop/\x1b[2J",)),))

    said = recovery_text(told, plan_for(told, ("x.zip",)))

    assert "\x1b" not in said
    assert "VirtualService:shop/\\x1b[2J" in said


def test_placeholders_are_explained() -> None:
    told = case(hypotheses=(hypothesis(incident="rbac-denied"),))

    said = recovery_text(told, plan_for(told, ("x.zip",)))

    assert "  POLICY    the AuthorizationPolicy's name" in said.splitlines()
