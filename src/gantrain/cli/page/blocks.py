"""The page itself: a tab for each thing that the run is for, in Gradio."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components.base import server

from gantrain.cli.page.desk import (
    ALL,
    AS_DRAWN,
    BOX,
    LETTERS,
    LONGEST_SIDE,
    MOST_TEXTS,
    NUMBERS,
    Answer,
    Desk,
    choices_of,
)
from gantrain.errors import UserError
from gantrain.training.loading import Trained

SLIDERS = 8  # for the numbers of a latent, at a time
AN_HOUR = 3600  # seconds that files of visitors stay
LOOK = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
# A single picture may have 16 pixels a side.
STYLE = ".one img { width: 256px; object-fit: contain; image-rendering: pixelated; }"
LABELS = {
    "n": "pictures",
    "psi": "psi: 1 as drawn, 0 all alike",
    "truncation": f"truncation: {NUMBERS['truncation'][1]:g} as drawn",
    "rows": "rows",
    "steps": "pictures in a row",
    "nearest": "pictures",
    "reach": "reach: 1 is how far styles lie from their mean",
    "search": "steps of the search",
    **{name: f"{name} of the hole, %" for name in BOX},
}
Controls = dict[str, Any]  # by the names of a method's arguments


def photo(label: str, height: int = 280) -> gr.Image:
    """The file of a picture that a visitor uploads; Gradio itself would open it with any of Pillow's formats."""
    taken = gr.Image(label=label, type="filepath", sources=["upload", "clipboard"], height=height, render=False)
    taken.preprocess = lambda payload: None if payload is None or payload.path is None else payload.path
    return uploaded(taken)


def painting(label: str) -> gr.ImageEditor:
    """What a visitor paints on a photo: the file of the layer of paint as it came, None without one."""
    canvas = gr.ImageEditor(
        label=label,
        height=360,
        sources=[],
        transforms=[],
        layers=False,
        brush=gr.Brush(colors=["#e33b3b"], color_mode="fixed"),
        render=False,
    )
    canvas.preprocess = lambda payload: payload.layers[0].path if payload is not None and payload.layers else None
    canvas.accept_blobs = server(lambda sent: None)  # for paint that is shown while it is painted: kept without bounds
    return uploaded(canvas)


def uploaded(taken: Any) -> Any:
    """A component that takes files of visitors, and no address, from where Gradio would fetch a file of any size."""
    keep = taken.async_move_resource_to_block_cache

    async def keep_uploads(place: str | None) -> str | None:
        if place is not None and "://" in str(place):
            raise gr.Error("upload the photo itself, not its address", print_exception=False)
        return await keep(place)

    taken.async_move_resource_to_block_cache = keep_uploads
    return taken


def page(desk: Desk, trained: Trained) -> gr.Blocks:
    """The page of a run; Gradio keeps files in the folder that GRADIO_TEMP_DIR names."""
    verbs, pictures = trained.verbs, trained.data.formats == ("png",)
    name = desk.run.resolve().name
    with gr.Blocks(title=f"gantrain {name}", analytics_enabled=False, delete_cache=(600, AN_HOUR)) as blocks:
        gr.Markdown(f"# {html.escape(name, quote=False)}\n{about(trained)}")
        with gr.Tabs():
            if "sample" in verbs:
                samples(blocks, desk, trained)
            if "sample" in verbs and not trained.module.takes_texts and hasattr(trained.module, "z_dim"):
                single(desk, trained)
            if "interpolate" in verbs:
                walk(desk, trained)
            if "styles" in verbs:
                mixture(desk, trained)
            if "edit" in verbs:
                controls = {name: slider(name) for name in ("rows", "reach", "seed")} | of_class(trained)
                tab(("Change styles", desk.edits, controls))
            if "sample" in verbs and pictures and not trained.module.takes_texts:
                nearest(desk)
            if "upscale" in verbs:
                of_a_photo("Enlarge", desk.larger, {})
            if "translate" in verbs:
                of_a_photo("Translate", desk.translation, translating(trained))
            if "inpaint" in verbs:
                filling(desk)
            if "project" in verbs:
                of_a_photo("Find a photo's style", desk.style, {"search": slider("search")})
            if "age" in verbs:
                of_a_photo("Other ages", desk.ages, {})
    return blocks.queue(max_size=16, api_open=False, default_concurrency_limit=1)


def about(trained: Trained) -> str:
    """What the pictures are, in a line."""
    data, classes = trained.data, trained.module.classes
    parts = [f"{data.size} pixels a side" if data.formats == ("png",) else f"volumes, {data.size} voxels a side"]
    parts += [f"{classes} classes"] if classes else []
    parts += [f"{data.scale} times larger"] if "upscale" in trained.verbs and data.scale is not None else []
    trained_for = f"; trained for {trained.iteration:,} iterations" if trained.iteration else ""
    return ", ".join(parts) + trained_for


# ---- the tabs --------------------------------------------------------------------------------------------------------


def samples(blocks: gr.Blocks, desk: Desk, trained: Trained) -> None:
    controls = {name: slider(name) for name in ("n", "seed")}
    name = "psi" if "styles" in trained.verbs else "truncation"
    controls |= {name: slider(name)} | of_class(trained)
    if (codes := trained.module.codes) is not None:
        each = [f"0 ({codes.categorical} values)", *map(str, range(1, codes.continuous + 1))]
        controls["code"] = gr.Dropdown([AS_DRAWN, *each], value=AS_DRAWN, label="vary a code", render=False)
    controls |= of_text(trained)
    tab(("Samples", desk.samples, controls), blocks.load)


def single(desk: Desk, trained: Trained) -> None:
    size = trained.module.z_dim
    choices = [f"{first} to {min(first + SLIDERS, size) - 1}" for first in range(0, size, SLIDERS)]
    numbers = gr.Dropdown(choices, value=choices[0], label="numbers of the latent", render=False)
    shifts = {f"shift{i}": slider("shift", f"add to number {i}") for i in range(min(SLIDERS, size))}
    controls = {"seed": slider("seed"), "numbers": numbers, **shifts} | of_class(trained)
    made, _ = tab(("Change a latent", desk.shifted, controls))
    made.elem_classes = ["one"]

    def others(chosen: str) -> list[Any]:
        first = int(chosen.split()[0])
        return [
            gr.Slider(label=f"add to number {first + i}", value=0, visible=first + i < size) for i in range(len(shifts))
        ]

    numbers.input(others, numbers, list(shifts.values()), show_progress="hidden", api_visibility="private")


def walk(desk: Desk, trained: Trained) -> None:
    controls = {name: slider(name) for name in ("rows", "steps", "seed")} | of_class(trained)
    controls |= of_text(trained)
    if "styles" in trained.verbs:
        controls["space"] = gr.Radio(["z", "w"], value="z", label="between latents (z) or styles (w)", render=False)
    controls["film"] = gr.Checkbox(label="as a film", render=False)
    tab(("Interpolate", desk.walk, controls))


def mixture(desk: Desk, trained: Trained) -> None:
    last = trained.module.layers - 1
    controls = {name: slider(name) for name in ("rows", "columns")}
    for name, value in (("first", 0), ("last", min(3, last))):
        label = f"{name} layer that the columns lend"
        controls[name] = gr.Slider(0, last, value, step=1, label=label, render=False)
    controls |= {name: slider(name) for name in ("psi", "seed")} | of_class(trained)
    tab(("Mix styles", desk.mixture, controls))


def nearest(desk: Desk) -> None:
    controls = {name: slider(name) for name in ("nearest", "seed")}
    button = gr.Button("Find the nearest training pictures", variant="primary", render=False)
    tab(("Nearest training pictures", desk.nearest, controls), button=button)


def translating(trained: Trained) -> Controls:
    controls = {}
    if len(trained.module.networks_for_use()) > 1:
        controls["to"] = gr.Radio(["b", "a"], value="b", label="to", render=False)
    if trained.data.condition == "edges":
        controls["drawn"] = gr.Checkbox(label="the photo is a drawing already", render=False)
    return controls


def filling(desk: Desk) -> None:
    box = {name: slider(name) for name in BOX}
    painted = painting("paint the hole")
    others = {"painted": painted, **box, "mask": photo("or upload a mask: white is missing", 160)}
    controls = of_a_photo("Fill a hole", desk.filling, others)
    shown = {"photo": controls["photo"], **box}

    def canvas(given: str | None) -> Any:
        file = answering(lambda photo: Answer(desk.canvas(photo), ""), ["photo"])(given)[0]
        return {"background": file, "layers": [], "composite": None} if given else None

    controls["photo"].change(canvas, controls["photo"], painted, show_progress="hidden", api_visibility="private")

    def hole(*values: Any) -> Any:
        return gr.skip() if values[0] is None else answering(desk.hole, list(shown))(*values)

    asked = [controls["photo"].upload, *(control.change for control in box.values())]
    answered(asked, hole, list(shown.values()), controls["made"], live=True)


def of_a_photo(title: str, method: Callable[..., Answer], controls: Controls) -> Controls:
    given = photo(f"a photo, at most {LONGEST_SIDE:,} pixels a side")
    button = gr.Button(title, variant="primary", render=False)
    made = tab((title, method, {"photo": given, **controls}), button=button)
    return {"photo": given, "made": made}


# ---- parts of a tab --------------------------------------------------------------------------------------------------


def tab(
    what: tuple[str, Callable[..., Answer], Controls],
    load: Callable[..., Any] | None = None,
    button: gr.Button | None = None,
) -> list[gr.Component]:
    """Controls on the left, on the right what was made: at each move of a control, or of `button` where there is one.

    `what` is the title, the desk's method, and a control for each of its arguments. A tab that shows something at
    once does so when it is chosen, the page's first by `load`. Returns what shows the answers.
    """
    title, method, controls = what
    left = list(controls.values())
    if button is not None:
        left.insert(1 if "photo" in controls else len(left), button)
    with gr.Tab(title) as chosen, gr.Row():
        with gr.Column(scale=1, min_width=280):
            for control in left:
                control.render()
        with gr.Column(scale=2, min_width=280):
            made = gr.Image(
                label=title, show_label=False, type="filepath", interactive=False, buttons=["download", "fullscreen"]
            )
            command = gr.Textbox(label="the same in a terminal", interactive=False, buttons=["copy"])
    asked = [control.change for control in controls.values()] + [load or chosen.select]
    asked = asked if button is None else [button.click]
    answered(asked, answering(method, list(controls)), list(controls.values()), [made, command], button is None)
    return [made, command]


def answered(
    asked: Sequence[Any], answer: Callable[..., Any], given: list[gr.Component], made: list[gr.Component], live: bool
) -> None:
    """At each of the events `asked` the answer to what is given; of `live` ones in a row the last one counts."""
    gr.on(
        list(asked),
        answer,
        given,
        made,
        trigger_mode="always_last" if live else "once",
        show_progress="minimal" if live else "full",
        show_progress_on=made[:1],
        concurrency_id="run",
        api_visibility="private",
    )


def answering(method: Callable[..., Answer], names: list[str]) -> Callable[..., Any]:
    """A question of the desk as Gradio asks it; what it refuses is shown in its words."""

    def answer(*values: Any) -> Any:
        given = dict(zip(names, values, strict=True))
        if given.get("text") == "":
            return gr.skip()  # nothing is asked yet
        try:
            made = method(**given)
        except UserError as error:
            raise gr.Error(html.escape(str(error), quote=False), print_exception=False) from error
        if made.said:
            gr.Info(html.escape(made.said, quote=False))
        return str(made.file), made.command

    return answer


def slider(name: str, label: str | None = None) -> gr.Slider:
    low, high, value = NUMBERS[name]
    step = 1 if isinstance(low, int) else 0.05
    return gr.Slider(low, high, value, step=step, label=label or LABELS.get(name, name), render=False)


def of_class(trained: Trained) -> Controls:
    """The choice of a class, where there are some."""
    names = list(choices_of(trained.data.class_names, trained.module.classes))
    if not names:
        return {}
    return {"of_class": gr.Dropdown([ALL, *names], value=ALL, label="class", render=False)}


def of_text(trained: Trained) -> Controls:
    """What is to be seen, of a run that makes pictures of texts."""
    if not trained.module.takes_texts:
        return {}
    label = f"what is to be seen: a text on each line, at most {MOST_TEXTS}"
    return {"text": gr.Textbox(label=label, lines=2, max_length=MOST_TEXTS * (LETTERS + 1), render=False)}
