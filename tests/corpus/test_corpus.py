"""Every public capture gives rows or is refused with one sentence; nothing else happens."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.corpus import Outcome, main, outcomes, page

PAGE = ROOT / "docs" / "corpus.md"
_COUNT = re.compile(r" \d+")


@pytest.mark.usefixtures("untraced")
def test_every_file_of_the_corpus_gives_rows_or_one_sentence(corpus: Path) -> None:
    said = list(outcomes(corpus))

    assert [each.file for each in said if not each.rows and not each.refusal] == []
    assert [each.file for each in said if "\n" in each.refusal or len(each.refusal) > 600] == []
    assert len(said) > 1000
    assert _rows(said, "envoy_config_dump/istio-1.18_deathstarbench_geo_sidecar_NACK.json", "rejection_reports") == 1
    assert _rows(said, "bugreport/istio_2023-09_bug-report.tar.gz", "memory") == 17
    assert _uncounted(PAGE.read_text()) == _uncounted(page(said)), "docs/corpus.md is old: make corpus-page"


def test_a_folder_without_files_is_no_empty_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["corpus", str(tmp_path)])

    with pytest.raises(SystemExit):
        main()


def _uncounted(text: str) -> list[str]:
    """The page without its numbers: which file gives which rows, or which sentence."""
    return _COUNT.sub("", text).splitlines()


def _rows(said: list[Outcome], file: str, table: str) -> int:
    return next(each.rows.get(table, 0) for each in said if each.file == file)
