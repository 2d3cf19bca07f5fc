"""Languages as configs name them: ISO 639-3 and ISO 15924, as in eng-Latn; programming languages as in python-Code."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from embedmark.runner.common.text import shortened

_FORM = re.compile(r"[a-z]{3}-[A-Z][a-z]{3}")
_CODE = re.compile(r"[a-z0-9+#.]{1,20}-Code")
_LONGEST = 60

_NAMES = {
    "arabic": "ara-Arab", "bengali": "ben-Beng", "bulgarian": "bul-Cyrl", "catalan": "cat-Latn",
    "chinese": "zho-Hans", "croatian": "hrv-Latn", "czech": "ces-Latn", "danish": "dan-Latn", "dutch": "nld-Latn",
    "english": "eng-Latn", "estonian": "est-Latn", "finnish": "fin-Latn", "french": "fra-Latn", "german": "deu-Latn",
    "greek": "ell-Grek", "hebrew": "heb-Hebr", "hindi": "hin-Deva", "hungarian": "hun-Latn",
    "indonesian": "ind-Latn", "italian": "ita-Latn", "japanese": "jpn-Jpan", "korean": "kor-Hang",
    "latvian": "lav-Latn", "lithuanian": "lit-Latn", "norwegian": "nor-Latn", "persian": "fas-Arab",
    "polish": "pol-Latn", "portuguese": "por-Latn", "romanian": "ron-Latn", "russian": "rus-Cyrl",
    "serbian": "srp-Cyrl", "slovak": "slk-Latn", "slovenian": "slv-Latn", "spanish": "spa-Latn",
    "swahili": "swa-Latn", "swedish": "swe-Latn", "tamil": "tam-Taml", "thai": "tha-Thai", "turkish": "tur-Latn",
    "ukrainian": "ukr-Cyrl", "urdu": "urd-Arab", "vietnamese": "vie-Latn",
}  # fmt: skip

_SCRIPTS = {
    "arabic": "Arab", "bengali": "Beng", "chinese": "Hans", "cyrillic": "Cyrl", "devanagari": "Deva", "greek": "Grek",
    "hangul": "Hang", "hebrew": "Hebr", "japanese": "Jpan", "korean": "Hang", "latin": "Latn", "simplified": "Hans",
    "tamil": "Taml", "thai": "Thai", "traditional": "Hant",
}  # fmt: skip


@cache
def _shipped() -> frozenset[str]:
    """The codes that the shipped configs use, valid ones all: a look into all there are takes long to read."""
    return frozenset(Path(__file__).with_name("languages.txt").read_text(encoding="ascii").split())


@cache
def check_language(code: str) -> str:
    """The same code, when it names a language and the script that it is written in. Raises ValueError."""
    if code in _shipped() or _CODE.fullmatch(code) or is_valid(code):
        return code
    near = _nearest(code) if len(code) <= _LONGEST else None
    raise ValueError(
        f"found {shortened(code, _LONGEST)!r}; expected a language of ISO 639-3 and a script of ISO 15924, as in "
        f"eng-Latn{f'. Did you mean {near!r}?' if near else ''}"
    )


def is_valid(code: str) -> bool:
    """Whether a code names a language of ISO 639-3 and a script of ISO 15924."""
    return _FORM.fullmatch(code) is not None and _is_language(code[:3]) and _is_script(code[4:])


def _is_language(code: str) -> bool:
    import langcodes
    from langcodes.data_dicts import LANGUAGE_ALPHA3_BIBLIOGRAPHIC

    return langcodes.tag_is_valid(code) and code not in LANGUAGE_ALPHA3_BIBLIOGRAPHIC.values()


def _is_script(code: str) -> bool:
    import langcodes

    return langcodes.Language.make(script=code).is_valid()


def _nearest(code: str) -> str | None:
    """What was meant by a name, a code of two letters, another separator, or a script written out."""
    import langcodes

    language, _, script = code.strip().casefold().replace("_", "-").partition("-")
    script = script.partition("-")[0]
    if language in _NAMES:
        language = _NAMES[language][:3]
    try:
        read = langcodes.get(language)
        full = read.maximize()
        alpha3 = full.to_alpha3()
    except (LookupError, ValueError):
        return None
    if not read.is_valid():
        return None
    named = script.title() if script and _is_script(script.title()) else _SCRIPTS.get(script)
    known = dict(pair.split("-") for pair in _NAMES.values())
    named = named or known.get(alpha3) or full.script
    return f"{alpha3}-{named}" if named else None
