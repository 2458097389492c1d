"""Minutes as one HTML file: no script runs, nothing is fetched, every word from people and plants is escaped. Pure."""

from __future__ import annotations

from html import escape

from opsroom.minutes.blocks import Block, Document, Drawn, Exact, Facts, Heading, Para, Quote, Table
from opsroom.minutes.picture import svg
from opsroom.proof.verify_journal import PROOFS

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 Georgia, 'Times New Roman', serif; color: #1c1c1c; background: #fff; max-width: 46rem;
  margin: 2rem auto; padding: 0 1.2rem; }
h1, h2, h3, .facts dt, th, figcaption, .sub, .mark { font-family: Verdana, 'DejaVu Sans', sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .2rem; }
h2 { font-size: 1.25rem; border-top: 3px solid #1c1c1c; padding-top: .6rem; margin-top: 2.4rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
.sub { color: #555; margin: 0 0 1.4rem; font-size: .9rem; }
.facts { display: grid; grid-template-columns: 11rem 1fr; gap: .2rem 1rem; margin: .6rem 0; }
.facts dt { color: #555; font-size: .85rem; } .facts dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .7rem 0; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #d5d5d5;
  overflow-wrap: anywhere; }
th { font-size: .8rem; color: #555; white-space: nowrap; }
blockquote { margin: .6rem 0 .6rem 1rem; padding-left: .8rem; border-left: 3px solid #b7791f; white-space: pre-wrap;
  overflow-wrap: anywhere; }
blockquote footer { color: #555; font-size: .85rem; }
figure { margin: 1rem 0; } svg { width: 100%; height: auto; } figcaption { font-size: .82rem; color: #555; }
pre { font: .78rem/1.4 'DejaVu Sans Mono', monospace; white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f2ec;
  padding: .5rem .7rem; }
.mark { background: #b83280; color: #fff; font-weight: bold; padding: .5rem .8rem; position: sticky; top: 0;
  letter-spacing: .04em; } .mark + h1 { margin-top: 1.2rem; }
@media print { body { font-size: 10.5pt; margin: 0; max-width: none; } h2, h3 { break-after: avoid; }
  figure, blockquote, tr { break-inside: avoid; } .mark { position: fixed; top: 0; left: 0; right: 0;
  print-color-adjust: exact; -webkit-print-color-adjust: exact; } @page { margin: 18mm; } }
"""


def page(document: Document) -> str:
    """Write a document as HTML."""
    mark = f'<div class="mark">{escape(document.marked)}</div>' if document.marked else ""
    title = f"{document.marked}: {document.title}" if document.marked else document.title
    proofs = ",".join(proof.json for proof in document.proofs)
    held = f"{PROOFS.decode()}[{_inert(proofs)}]</script>" if document.proofs else ""
    body = "\n".join(_block(block) for block in document.blocks)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{mark}"
        f'<h1>{escape(document.title)}</h1><p class="sub">{escape(document.subtitle)}</p>\n{body}\n{held}</body></html>\n'
    )


def _inert(json: str) -> str:
    """JSON that cannot end the element it stands in.

    >>> _inert('{"a": "</script>"}')
    '{"a": "\\\\u003c/script>"}'
    """
    return json.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level + 1}>{escape(text)}</h{level + 1}>"
        case Para(text):
            return f"<p>{escape(text)}</p>"
        case Facts(rows):
            return (
                '<dl class="facts">' + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in rows) + "</dl>"
            )
        case Table(head, rows):
            heads = "".join(f"<th>{escape(cell)}</th>" for cell in head)
            lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
            return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"
        case Quote(who, text):
            return f"<blockquote>{escape(text)}<footer>{escape(who)}</footer></blockquote>"
        case Drawn(picture, caption):
            return f"<figure>{svg(picture)}<figcaption>{escape(caption)}</figcaption></figure>"
        case Exact(text):
            return f"<pre>{escape(text)}</pre>"
