"""Which language a country's phones are answered in, where nothing better is known."""

import phonenumbers

_SPOKEN = {
    "AR": "es-MX", "AT": "de-DE", "AU": "en-AU", "BR": "pt-BR", "CL": "es-MX", "CN": "zh-CN", "CO": "es-MX",
    "DE": "de-DE", "DK": "da-DK", "ES": "es-ES", "FI": "fi-FI", "FR": "fr-FR", "GB": "en-GB", "IE": "en-GB",
    "IN": "en-IN", "IT": "it-IT", "JP": "ja-JP", "KR": "ko-KR", "LI": "de-DE", "MX": "es-MX", "NL": "nl-NL",
    "NO": "nb-NO", "NZ": "en-AU", "PE": "es-MX", "PL": "pl-PL", "PT": "pt-PT", "RU": "ru-RU", "SE": "sv-SE",
    "TW": "zh-TW",
}  # fmt: skip
"""Countries of one language, as far as even the oldest of the carrier's voices speaks it."""


def language_of(e164: str) -> str | None:
    """The language of the number's country; None where it has several, or is not known."""
    try:
        return _SPOKEN.get(phonenumbers.region_code_for_number(phonenumbers.parse(e164)) or "")
    except phonenumbers.NumberParseException:
        return None
