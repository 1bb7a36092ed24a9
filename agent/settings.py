"""Settings, from the environment (`STOREWISE_…`) or a `.env` file; every one has a sensible default."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """How this Storewise runs.

    Attributes:
        home: the folder of generations, models, conversations and feedback.
        model_url: an OpenAI-compatible address to use instead of an engine of our own.
        model_name: the model's name there; empty takes the first that the address lists.
        model_key: the key for that address, if it wants one.
        call_style: compact (short call syntax under a grammar; what the shipped adapter learned),
            native (the API's own tool calling), or auto: compact for the embedded model, else native.
        gpu_model: the model served by our own engine where a CUDA GPU is found.
        engine_port: the engine's port; 0 takes a free one.
        slow_seconds: a model call that takes longer counts as down for this turn.
        churned_after: when a customer counts as gone: a number of days without an order, or "own rhythm"
            (each customer's own); the churn model is trained for it.
        keep_tools: at most so many tools are left for the model to choose from.
        jobs_url: where jobs are kept: a Postgres address, shared by several workers; empty means SQLite
            files in `home`. Workers on other machines need the same `home`, on a shared disk.
        model_patience: seconds for which a job waits for a language model that is down, before it quotes.
        requests_per_minute: what one key, or one address without a key, may ask of the API.
        unfinished_jobs: how many jobs of one key may wait or run at once.
        desk_url: where the desk's shop and its conversations are kept: a Postgres address; empty means a
            SQLite file in `home`.
        desk_secret: the key that signs a customer's token; empty means a file in `home`, made on first use.
        desk_requests_per_minute: what one customer, or one address that is not signed in, may send to the desk.
        desk_origins: the sites, such as https://shop.example, whose pages may talk to the desk, with commas
            between them; empty means none but the desk's own.
    """

    model_config = SettingsConfigDict(env_prefix="STOREWISE_", env_file=".env", extra="ignore")

    home: Path = Path(".storewise")
    model_url: str = ""
    model_name: str = ""
    model_key: str = ""
    call_style: Literal["auto", "compact", "native"] = "auto"
    gpu_model: str = "Qwen/Qwen3-4B-Instruct-2507"
    engine_port: int = 0
    slow_seconds: float = 20.0
    keep_tools: int = 3
    churned_after: str = "60"
    jobs_url: str = ""
    model_patience: float = 300.0
    requests_per_minute: int = 600
    unfinished_jobs: int = 50
    desk_url: str = ""
    desk_secret: str = ""
    desk_requests_per_minute: int = 30
    desk_origins: str = ""
