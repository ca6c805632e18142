"""The page about one patient: what stands on it, and what never does."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from nkpredict import explain_scores, score, write_patient_card
from nkpredict.errors import InputError

NAME = "<b>P</b> & =1"


@pytest.fixture(scope="module")
def patient(trained_model, genes):
    rng = np.random.default_rng(4)
    names = [NAME, *(f"P{i:02d}" for i in range(23))]
    profiles = pd.DataFrame(rng.normal(5, 2, (24, len(genes))), index=names, columns=genes)
    return explain_scores(score(profiles, trained_model)).sample(NAME, knockouts=genes[:2])


@pytest.mark.slow
def test_the_page_is_one_file_and_says_what_it_is_for(patient, tmp_path: Path) -> None:
    page = write_patient_card(patient, tmp_path / "card.html").read_text(encoding="utf-8")
    assert "Not a medical device" in page
    assert "&lt;b&gt;P&lt;/b&gt; &amp; =1" in page
    assert "<b>P</b>" not in page
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    assert "default-src &#39;none&#39;" in page
    assert "What would show that this page is wrong" in page
    for gene in patient.genes["gene"]:
        assert gene in page


@pytest.mark.slow
def test_the_same_patient_gives_the_same_bytes(patient, tmp_path: Path) -> None:
    files = [write_patient_card(patient, tmp_path / f"{name}.html") for name in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_simulated_data_are_marked_on_the_page(patient, tmp_path: Path) -> None:
    marked = replace(patient, provenance=replace(patient.provenance, profiles_simulated=True))
    page = write_patient_card(marked, tmp_path / "card.html").read_text(encoding="utf-8")
    assert "<strong>SIMULATED</strong>" in page


def test_another_ending_is_refused(patient, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ending in \.html, \.pdf, \.png"):
        write_patient_card(patient, tmp_path / "card.docx")


def test_without_a_browser_a_pdf_is_refused_in_a_sentence(
    patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="needs a Chromium"):
        write_patient_card(patient, tmp_path / "card.pdf")
    assert not (tmp_path / "card.pdf").exists()


@pytest.mark.slow
@pytest.mark.browser
def test_it_prints_on_one_sheet(patient, tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    printed = write_patient_card(patient, tmp_path / "card.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    picture = imread(write_patient_card(patient, tmp_path / "card.png"))
    # the whole card: nothing is written on the lowest rows, and there is some just above
    assert (picture[-20:, :, :3] == 1).all()
    assert not (picture[-40:, :, :3] == 1).all()
