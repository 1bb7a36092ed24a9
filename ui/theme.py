"""Gradio's own widgets in the page's colours and type; the page's style lies in style.css."""

from __future__ import annotations

import gradio as gr
from gradio.themes.utils.fonts import Font, LocalFont

_PINE = gr.themes.Color(
    name="pine",
    c50="#eef5f2",
    c100="#dcebe5",
    c200="#b9d7cc",
    c300="#8fc0af",
    c400="#5da48e",
    c500="#1f6f5c",
    c600="#1a5f4f",
    c700="#154e41",
    c800="#113f35",
    c900="#0c2d26",
    c950="#081f1a",
)
_STONE = gr.themes.Color(
    name="stone",
    c50="#faf8f4",
    c100="#f6f4ee",
    c200="#e7e3d9",
    c300="#cfcabd",
    c400="#8d938d",
    c500="#66706a",
    c600="#4d5752",
    c700="#2c3632",
    c800="#1d2421",
    c900="#171d1a",
    c950="#111614",
)


def theme() -> gr.themes.Base:
    """Return the theme: fonts that Gradio carries with it, so that nothing is fetched from elsewhere."""
    made = gr.themes.Base(
        primary_hue=_PINE,
        secondary_hue=_PINE,
        neutral_hue=_STONE,
        radius_size=gr.themes.sizes.radius_md,
        font=[LocalFont("IBM Plex Sans", weights=(400, 700)), Font("system-ui"), Font("sans-serif")],
        font_mono=[LocalFont("IBM Plex Mono", weights=(400,)), Font("ui-monospace"), Font("monospace")],
    )
    return made.set(
        body_background_fill="*neutral_100",
        body_background_fill_dark="*neutral_950",
        body_text_color="#1d2a26",
        body_text_color_dark="#e6eae5",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
    )
