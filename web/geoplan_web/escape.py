"""Foreign text on its way into a page.

Names of towns, fields and layers come from files that others wrote. Folium escapes none of what it is given:
it pastes strings into HTML, JavaScript strings and template literals. Every string that reaches folium, or a
template without escaping of its own, goes through `text`; data for a script through `embed_json`.
"""

from __future__ import annotations

import json
import re
from html import escape

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and halves of surrogate pairs: no HTML document may hold them, even as entities."""

_AS_ENTITY = {ord(c): f"&#{ord(c)};" for c in "`$\\{}\n\r\u2028\u2029"}
"""Characters that mean something inside a JavaScript string or template literal, harmless as entities."""

_UNSAFE_IN_SCRIPT = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def text(value: object) -> str:
    """A value as HTML text that is safe in an element, a quoted attribute, and in folium's JavaScript.

    For what is shown as HTML: tooltips, layer and group names, aliases, legends. A title that a script sets
    as plain text (``Fullscreen(title=…)``) would show the entities: give such places fixed words only.

    Parameters
    ----------
    value
        Anything; None gives the empty string. What is no character of a document becomes U+FFFD.

    Examples
    --------
    >>> text("<b>`${甪直}`")
    '&lt;b&gt;&#96;&#36;&#123;甪直&#125;&#96;'
    """
    if value is None:
        return ""
    return escape(_NOT_TEXT.sub("\ufffd", str(value)), quote=True).translate(_AS_ENTITY)


def embed_json(value: object) -> str:
    r"""Compact JSON that may stand inside a script element.

    Nothing in it can end the script or open a comment, whatever the strings say; it can always be encoded.
    It is JSON and it is JavaScript; read as JavaScript, a key ``__proto__`` would set a prototype, so objects
    with foreign keys belong in ``<script type="application/json">``, read by ``JSON.parse``.

    Raises
    ------
    ValueError
        The value holds NaN or an infinity, which JSON has no word for.
    TypeError
        The value holds something else that JSON has no word for.

    Examples
    --------
    >>> embed_json({"名": "</script>"})
    '{"名":"\\u003c/script\\u003e"}'
    """
    plain = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE_IN_SCRIPT.sub(lambda found: f"\\u{ord(found[0]):04x}", plain)
