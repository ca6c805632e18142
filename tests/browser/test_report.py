"""The report in a real browser: headless Chromium."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nkpredict.report import write_report

pytestmark = pytest.mark.browser

NAMES = [
    "<script>document.title='taken'</script>",
    "=cmd()",
    "x" * 300,
    '🧬 O\'Neil "the" & co',
    *(f"S{i:02d}" for i in range(20)),
]
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def make_scores():
    rng = np.random.default_rng(0)
    parts = pd.DataFrame(
        rng.normal(0, 0.03, (len(NAMES), 20)), index=NAMES, columns=[f"G{i}" for i in range(20)]
    )
    value = 0.4 + parts.sum(axis=1)
    table = pd.DataFrame(
        {
            "susceptibility": value,
            "lower": value - 0.2,
            "upper": value + 0.2,
            "percentile": 50.0,
            "novelty": 0.9,
            "in_domain": True,
            "gene_coverage": 1.0,
            "flags": "",
            "original_scale": 1 - value,
        }
    )
    resistance = pd.DataFrame(
        {
            "gene": parts.columns,
            "mean_contribution": parts.mean().to_numpy(),
            "lowest_contribution": parts.min().to_numpy(),
            "samples_resisting": 0.5,
            "direction": "unclear",
            "evidence": np.nan,
            "evidence_reading": "no screen",
        }
    )
    return SimpleNamespace(
        table=table,
        contributions=parts,
        base_value=0.4,
        resistance_genes=resistance,
        provenance={"simulated": True, "profiles": {"file": NAMES[0]}},
    )


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("chromium and chromedriver are not on the PATH")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = webdriver.Chrome(options=options, service=Service(driver))
    yield window
    window.quit()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_report(make_scores(), tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture
def page(chromium, file):
    chromium.set_window_size(1280, 1000)
    chromium.get("about:blank")
    chromium.get(file.as_uri())
    yield chromium
    assert chromium.get_log("browser") == []


def find(page, selector):
    return page.find_elements("css selector", selector)


def test_opens_with_its_title_and_banner(page):
    assert page.title == "SIMULATED – NK susceptibility report"
    page.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    (banner,) = find(page, ".simulated-banner")
    assert banner.rect["y"] >= 0
    assert page.execute_script("return arguments[0].getBoundingClientRect().top", banner) == 0


def test_style_and_script_are_let_through_by_the_policy(page):
    assert find(page, "#search")[0].is_displayed()
    width = page.execute_script("return getComputedStyle(document.querySelector('.page')).maxWidth")
    assert width == "1152px"


def test_hostile_names_stay_text(page):
    shown = [element.get_attribute("textContent") for element in find(page, "#ranking-rows .name")]
    assert sorted(shown) == sorted(NAMES)
    assert len(find(page, "script")) == 1


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_sticks_out(page, width):
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    try:
        page.execute_script("document.getElementById('open-all').click()")
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_sample_opens_by_keyboard(page):
    from selenium.webdriver.common.keys import Keys

    samples = find(page, "#sample-list > details")
    assert [sample.get_property("open") for sample in samples[:3]] == [True, False, False]
    samples[1].find_element("css selector", "summary").send_keys(Keys.ENTER)
    assert samples[1].get_property("open")
    assert samples[1].find_element("css selector", ".waterfall").is_displayed()


def test_skip_link_is_the_first_stop(page):
    from selenium.webdriver.common.keys import Keys

    page.find_element("css selector", "body").send_keys(Keys.TAB)
    focused = page.switch_to.active_element
    assert focused.text == "Skip to the content"
    focused.send_keys(Keys.ENTER)
    assert page.switch_to.active_element.get_attribute("id") == "main"


def test_a_name_in_the_ranking_opens_its_sample(page):
    sample = find(page, "#sample-list > details")[4]
    assert not sample.get_property("open")
    page.execute_script("arguments[0].click()", find(page, "#ranking-rows .name")[4])
    assert page.execute_async_script(
        "const [sample, done] = arguments;"
        "const look = () => sample.open ? done(true) : requestAnimationFrame(look); look();",
        sample,
    )


def test_search_filters_ranking_and_samples(page):
    find(page, "#search")[0].send_keys("o'neil")
    rows = [row for row in find(page, "#ranking-rows tr") if row.is_displayed()]
    samples = [sample for sample in find(page, "#sample-list > details") if sample.is_displayed()]
    assert len(rows) == len(samples) == 1
    assert "O'Neil" in samples[0].text
    assert find(page, "#search-found")[0].text == f"1 of {len(NAMES)} samples"
