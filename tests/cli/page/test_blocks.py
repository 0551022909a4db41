"""The page in a real browser, without a window: Chromium driven by Playwright, where both are installed."""

import contextlib
import io
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gantrain.cli.app import free_port
from gantrain.cli.main import main
from gantrain.cli.page.desk import Desk
from gantrain.training.loading import kept

pytest.importorskip("gradio", reason="the extra app is not installed")
driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]

MADE = "[role=tabpanel]:visible img[src*='/made/']"


@pytest.fixture(scope="module")
def browser():
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, tmp_path, monkeypatch):
    """Serve the page of the run `run` and open it: what a visitor sees, and a list of all addresses it asks for."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    with visited(browser, tmp_path) as seen:
        yield seen


@pytest.fixture
def visit_holes(browser, tmp_path, monkeypatch):
    """As `visit`, of a run that fills holes."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    quick = ("logger=none", "evaluation=none", "callbacks.samples=null", "callbacks.networks=null")
    assert main(["experiment=inpaint_folder", "debug=tiny", *quick, "hydra.run.dir=run"]) == 0
    with visited(browser, tmp_path) as seen:
        yield seen


@contextlib.contextmanager
def visited(browser, tmp_path):
    from gantrain.cli.page.blocks import page
    from gantrain.cli.page.serve import serve

    with kept("run") as trained:
        blocks = page(Desk(Path("run"), tmp_path / "files" / "made"), trained)
        address = serve(blocks, "127.0.0.1", free_port("127.0.0.1", None))
        seen, asked = browser.new_page(), []
        seen.set_default_timeout(20_000)
        seen.on("request", lambda request: asked.append(request.url))
        seen.goto(address)
        yield seen, asked
        assert all(url.startswith((address, "data:", "blob:")) for url in asked)  # nothing is fetched from elsewhere
        seen.close()
        blocks.close(verbose=False)


def shown(seen):
    return seen.locator(MADE).get_attribute("src")


def test_a_slider_gives_other_pictures_that_can_be_taken_home(run, visit, gantrain):
    seen, _ = visit
    first = shown(seen)
    assert seen.get_by_role("tab").all_inner_texts() == [
        "Samples",
        "Change a latent",
        "Interpolate",
        "Nearest training pictures",
    ]
    seen.get_by_label("range slider for seed").first.focus()
    seen.keyboard.press("ArrowRight")
    seen.locator(f"{MADE}:not([src='{first}'])").wait_for()
    with seen.expect_download() as download:
        seen.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "sample_n-16_seed-1.png"
    download.value.save_as("taken.png")
    assert gantrain("sample", "run", "-n", "16", "--seed", "1", "--out", "same.png").code == 0
    assert Path("taken.png").read_bytes() == Path("same.png").read_bytes()


def test_single_numbers_of_a_latent_have_sliders(run, visit, gantrain):
    seen, _ = visit
    seen.get_by_role("tab", name="Change a latent").click()
    first = shown(seen)
    seen.get_by_label("range slider for add to number 2").first.focus()
    seen.keyboard.press("End")
    seen.locator(f"{MADE}:not([src='{first}'])").wait_for()
    command = seen.locator("textarea:visible").input_value()
    assert command.startswith("gantrain sample run -n 1 --seed 0 --shift=2:4 --out ")
    assert gantrain(*shlex.split(command)[1:]).code == 0
    seen.get_by_label("numbers of the latent").click()
    seen.get_by_role("option", name="8 to 15").click()
    seen.get_by_label("range slider for add to number 10").first.focus()
    assert seen.get_by_label("range slider for add to number 2").count() == 0


def test_a_hole_is_painted_on_the_photo(visit_holes):
    seen, _ = visit_holes
    Image.radial_gradient("L").resize((90, 60)).convert("RGB").save("photo.png")
    seen.locator("input[type=file]").first.set_input_files("photo.png")
    canvas = seen.locator("canvas").first
    canvas.wait_for()
    seen.locator(f"{MADE}").wait_for()  # the box
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    seen.mouse.move(x, y)
    seen.mouse.down()
    seen.mouse.move(x + 10, y, steps=4)
    seen.mouse.up()
    seen.get_by_role("button", name="Fill a hole").click()
    seen.wait_for_function("document.querySelector('textarea').value.includes('--mask=MASK')")
    filled = np.asarray(Image.open(io.BytesIO(seen.request.get(shown(seen)).body())).convert("RGB"))
    changed = (filled != np.asarray(Image.open("photo.png"))).any(-1)
    assert changed[25:35, 40:50].any()
    assert not changed[:, :20].any()


def test_a_photo_is_changed_and_what_is_none_is_refused_in_words(scheduled, visit):
    seen, _ = visit
    toast, button = seen.locator(".toast-body"), seen.get_by_role("button", name="Translate")
    button.click()
    assert "there is no photo yet; upload one first" in toast.inner_text()
    Path("page.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    seen.locator("input[type=file]").set_input_files("page.png")
    seen.get_by_label("Remove Image").or_(seen.get_by_label("Clear")).first.wait_for()
    button.click()
    refused = "the photo cannot be used: no PNG, JPEG, WebP, BMP or GIF"
    assert refused in toast.filter(has_text="cannot be used").inner_text()
    seen.get_by_label("Remove Image").or_(seen.get_by_label("Clear")).first.click()
    Image.radial_gradient("L").resize((40, 24)).save("photo.png")
    seen.locator("input[type=file]").set_input_files("photo.png")
    seen.locator("img[src*='photo.png']").first.wait_for()
    button.click()
    assert shown(seen).endswith("photo_translate_to-b.png")
    assert seen.locator("textarea").input_value() == "gantrain translate run PHOTO --to=b --out FOLDER"
