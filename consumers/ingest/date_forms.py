"""The common forms of dates and times, as patterns of whole cells: none is converted, only
recognized.
"""

from __future__ import annotations

_YEAR, _MONTH, _DAY = "[12][0-9]{3}", "(0?[1-9]|1[0-2])", "(0?[1-9]|[12][0-9]|3[01])"
_YEARS, _MM, _DD = f"({_YEAR}|[0-9]{{2}})", "(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"
_WEEKDAY = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
# English, German and what is written alike, in full or in short, also in capitals (Oracle:
# 31-JAN-25).
_NAME = (
    "(?i:Jan(uary|uar|vier)?|Feb(ruary|ruar|rero)?|Mar(ch|s|zo)?|März?|Mrz|Apr(il)?|Ma[yi]|Mayo|"
    "Jun([ei]|io)?|Jul([yi]|io)?|Aug(ust)?|Sept?(ember|iembre)?|Septembre|O[ck]t(ober|obre|ubre)?|"
    "Nov(ember|embre|iembre)?|De[cz](ember|embre)?)[.]?"
)
_CLOCK = "([01]?[0-9]|2[0-3])(:[0-5][0-9]){1,2}([.,][0-9]{1,9})?( ?[AaPp][.]?[Mm][.]?)?"
_OFFSET = "[+-][0-9]{2}(:?[0-9]{2})?"
_REGION = "[A-Z][A-Za-z]+/[A-Za-z_/]+"
_ZONE = rf"( ?(Z|[A-Z]{{3,4}}|{_OFFSET}))?( ?{_REGION}|\[[A-Za-z_/+-]+\])?"
_FORMS = (
    f"{_YEAR}-{_MONTH}-{_DAY}",
    f"{_YEAR}/{_MONTH}/{_DAY}",
    rf"{_YEAR}\.{_MONTH}\.{_DAY}",
    rf"{_DAY}\.{_MONTH}\.{_YEARS}",
    f"{_MONTH}/{_DAY}/{_YEARS}",
    f"{_DAY}/{_MONTH}/{_YEARS}",
    f"{_DAY}-{_MONTH}-{_YEAR}",
    f"{_MONTH}-{_DAY}-{_YEAR}",
    f"{_DD}-{_MM}-[0-9]{{2}}",
    f"{_MM}-{_DD}-[0-9]{{2}}",
    f"{_DAY}[.]?[ -]{_NAME}[ -]{_YEARS}",
    f"{_DAY}/{_NAME}/{_YEAR}",
    f"{_NAME} {_DAY},? {_YEAR}",
    f"{_YEAR}[年년] ?{_MONTH}[月월] ?{_DAY}[日일]",
)
_REDUCED = (
    "(19|20)[0-9]{2}-(0[1-9]|1[0-2])",
    f"{_YEAR}-W[0-5][0-9](-[1-7])?",
    "[0-9]{8}T[0-9]{4,6}Z?",
    f"{_NAME}[ -]{_YEARS}",
    f"{_MM}/(19|20)[0-9]{{2}}",
    f"{_YEAR}[年년] ?{_MONTH}[月월]",
    f"{_YEAR}-{_MONTH}-{_DAY}T([01][0-9]|2[0-3])(Z|{_OFFSET})?",
    f"{_CLOCK}{_ZONE}",
    f"{_WEEKDAY} {_NAME} {{1,2}}{_DAY} {_CLOCK}{_ZONE} {_YEAR}",
    rf"\[?{_DAY}/{_NAME}/{_YEAR}:{_CLOCK}{_ZONE}\]?",
)
DATE = f"^(({_WEEKDAY},? )?({'|'.join(_FORMS)})([T ] ?{_CLOCK}{_ZONE})?|{'|'.join(_REDUCED)})$"
COMPACT = "^(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$"
"""YYYYMMDD, which is an integer too."""
