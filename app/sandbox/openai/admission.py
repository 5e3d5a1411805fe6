"""Who gets a session, and how it begins: the key, the model and the intent of a connection."""

from collections.abc import Mapping

from app.sandbox.openai.client_secrets import ClientSecrets
from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.session_config import Config, default_config, default_transcription_config

SHUT_DOWN_MODELS = ("gpt-4o-realtime-preview", "gpt-4o-mini-realtime-preview")
_CLOSE_CODES = {"invalid_api_key": 3000, "model_not_found": 4004}


def wrong_key() -> Refusal:
    """What a request without the right key is told."""
    return Refusal("invalid_api_key", "Incorrect API key provided.")


def close_code(refusal: Refusal) -> int:
    """With which code a connection is closed that gets no session."""
    return _CLOSE_CODES.get(refusal.code, 4000)


def is_authorized(headers: Mapping[str, str], api_key: str) -> bool:
    """Whether a request carries that key."""
    return _bearer(headers) == api_key


def admit(headers: Mapping[str, str], query: Mapping[str, str], api_key: str, secrets: ClientSecrets) -> Config:
    """How the session of this connection begins; raises `Refusal` when it gets none."""
    of_secret = secrets.config(_bearer(headers))
    if of_secret is None and not is_authorized(headers, api_key):
        raise wrong_key()
    if "openai-beta" in headers:
        raise Refusal("beta_api_shape_disabled", "The beta shape of this API was switched off.")
    if of_secret is not None:
        return of_secret
    if query.get("intent") == "transcription":
        return default_transcription_config()
    model = query.get("model")
    if not model:
        raise Refusal("missing_model", "You must provide a model parameter.", "model")
    if model.startswith(SHUT_DOWN_MODELS):
        raise Refusal("model_not_found", f"The model '{model}' does not exist.", "model")
    return default_config(model)


def _bearer(headers: Mapping[str, str]) -> str:
    return headers.get("authorization", "").removeprefix("Bearer ")
