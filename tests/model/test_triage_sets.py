"""The sets of the triage benchmark: any folder of CSV files, and one language of the starters."""

from __future__ import annotations

import gzip
from pathlib import Path

from benchmarks.triage_sets import dev, draws, is_there, learnt, names, unlabelled


def test_a_folder_is_read_with_any_names_of_files_and_columns(tmp_path: Path) -> None:
    tmp_path.joinpath("water.csv").write_text(
        "Beschreibung;Kategorie\nKein Wasser.;Ausfall\nZu teuer.;Preis\n"
    )
    with gzip.open(tmp_path / "bank_train.csv.gz", "wt") as file:
        file.write("text,label_category,label_severity\nNo card.,card,critical\nA fee.,fee,normal\n")
    tmp_path.joinpath("bank_dev.csv").write_text("text,category\nTwo fees.,fee\n")
    tmp_path.joinpath("bank_unlabelled.csv").write_text("text,category\nMy card,\n")
    assert names(tmp_path) == ("bank", "water")
    assert learnt(tmp_path, "water").categories == ("Ausfall", "Preis")
    assert learnt(tmp_path, "bank").critical.tolist() == [True, False]
    assert dev(tmp_path, "bank").texts == ("Two fees.",)
    assert unlabelled(tmp_path, "bank") == ("My card",)
    assert [is_there(tmp_path, name, on_dev=True) for name in names(tmp_path)] == [True, False]


def test_one_starter_language_is_split_into_training_and_test_rows(tmp_path: Path) -> None:
    training_set, test_set = next(draws(tmp_path, "own:tr", count=1, on_dev=False))
    everything = learnt(tmp_path, "own:tr").texts
    assert sorted(training_set.texts + test_set.texts) == sorted(everything)
    assert not set(everything) & set(dev(tmp_path, "own:tr").texts)
    assert not is_there(tmp_path, "own:xx")
