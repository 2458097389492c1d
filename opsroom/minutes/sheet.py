"""Minutes as a PDF on A4: the same document as the page, with real text. Needs the extra `minutes`. Pure but for its library."""

from __future__ import annotations

import io
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from opsroom.minutes.blocks import Block, Document, Drawn, Exact, Facts, Heading, Para, Quote, Table
from opsroom.minutes.picture import Area, Dot, Label, Picture, Stroke
from opsroom.room.refusal import RoomError

MARGIN = 51.0
_ALL = ((0, 0), (-1, -1))
_PLAIN = (("VALIGN", *_ALL, "TOP"), ("LEFTPADDING", *_ALL, 0))
INK, GREY, MARKED = "#1c1c1c", "#555555", "#b83280"


class NoPdfError(RoomError):
    """The library that writes PDF is not installed: `missing`."""

    def __init__(self, missing: str) -> None:
        super().__init__(missing)
        self.missing = missing

    def __str__(self) -> str:
        return f"{self.missing} is not installed: pip install 'opsroom[minutes]', or print the HTML page from a browser"


def sheet(document: Document) -> bytes:
    """Write a document as PDF, the same bytes for the same document; raises `NoPdfError`."""
    try:
        from reportlab.lib import colors
        from reportlab.lib.pagesizes import A4
        from reportlab.pdfgen.canvas import Canvas
        from reportlab.platypus import SimpleDocTemplate
    except ModuleNotFoundError as error:
        raise NoPdfError("reportlab") from error

    _fonts()
    out = io.BytesIO()
    top = MARGIN + (16 if document.marked else 0)
    paper = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=top,
        bottomMargin=MARGIN,
        title=f"{document.marked}: {document.title}" if document.marked else document.title,
        author="opsroom",
        invariant=1,
    )

    def margins(canvas: Canvas, doc: Any) -> None:
        width, height = A4
        canvas.saveState()
        if document.marked:
            canvas.setFillColor(colors.HexColor(MARKED))
            canvas.rect(0, height - 26, width, 26, stroke=0, fill=1)
            canvas.setFillColor(colors.white)
            canvas.setFont("Minutes-Bold", 10)
            canvas.drawString(MARGIN, height - 17, document.marked[:110])
        canvas.setFillColor(colors.HexColor(GREY))
        canvas.setFont("Minutes", 7.5)
        canvas.drawString(MARGIN, 26, document.title[:100])
        canvas.drawRightString(width - MARGIN, 26, f"page {doc.page}")
        canvas.restoreState()

    paper.build(list(_flow(document, paper.width - 12)), onFirstPage=margins, onLaterPages=margins)
    return out.getvalue()


def _fonts() -> None:
    """Letters for most of the world's alphabets: matplotlib ships DejaVu."""
    import matplotlib
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name, file in (
        ("Minutes", "DejaVuSans"),
        ("Minutes-Bold", "DejaVuSans-Bold"),
        ("Minutes-Mono", "DejaVuSansMono"),
    ):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, folder / f"{file}.ttf"))


def _flow(document: Document, width: float) -> Iterator[Any]:
    from reportlab.platypus import KeepTogether, Paragraph, Spacer

    look = _looks()
    yield Paragraph(_text(document.title), look["title"])
    yield Paragraph(_text(document.subtitle), look["sub"])
    yield Spacer(1, 8)
    heading: list[Any] = []
    for block in document.blocks:
        parts = [*heading, *_block(block, look, width)]
        # A picture stays with its caption and the heading above it; above any other block the style sees to that.
        heading = parts if isinstance(block, Heading) else []
        if not heading:
            yield from [KeepTogether(parts)] if isinstance(block, Drawn) else parts
    yield from heading


def _looks() -> dict[str, Any]:
    from reportlab.lib.styles import ParagraphStyle

    def style(name: str, **changes: Any) -> ParagraphStyle:
        plain = {
            "fontName": "Minutes",
            "fontSize": 9,
            "leading": 13,
            "textColor": INK,
            "spaceAfter": 4,
            "splitLongWords": 1,
        }
        return ParagraphStyle(name, **(plain | changes))

    return {
        "title": style("title", fontName="Minutes-Bold", fontSize=17, leading=21),
        "sub": style("sub", textColor=GREY),
        "h1": style("h1", fontName="Minutes-Bold", fontSize=13, leading=17, spaceBefore=16, keepWithNext=1),
        "h2": style("h2", fontName="Minutes-Bold", fontSize=10, leading=14, spaceBefore=10, keepWithNext=1),
        "para": style("para"),
        "name": style("name", textColor=GREY, fontSize=8, spaceAfter=0),
        "cell": style("cell", fontSize=8, leading=11, spaceAfter=0),
        "quote": style("quote", leftIndent=12, borderPadding=0),
        "who": style("who", leftIndent=12, textColor=GREY, fontSize=8),
        "exact": style("exact", fontName="Minutes-Mono", fontSize=6.5, leading=9, wordWrap="CJK"),
    }


def _text(text: str) -> str:
    """The paragraph's own markup is not for people's words."""
    return escape(text, quote=False).replace("\n", "<br/>")


def _block(block: Block, look: dict[str, Any], width: float) -> Iterator[Any]:
    from reportlab.lib import colors
    from reportlab.platypus import KeepTogether, Paragraph, Spacer
    from reportlab.platypus import Table as Grid

    match block:
        case Heading(level, text):
            yield Paragraph(_text(text), look[f"h{min(level, 2)}"])
        case Para(text):
            yield Paragraph(_text(text), look["para"])
        case Facts(rows):
            cells = [[Paragraph(_text(a), look["name"]), Paragraph(_text(b), look["cell"])] for a, b in rows]
            if cells:
                tight = [("TOPPADDING", *_ALL, 1), ("BOTTOMPADDING", *_ALL, 2)]
                yield Grid(cells, colWidths=[110, width - 110], hAlign="LEFT", style=[*_PLAIN, *tight])
                yield Spacer(1, 4)
        case Table(head, rows):
            cells = [[Paragraph(_text(cell), look["name"]) for cell in head]]
            cells += [[Paragraph(_text(cell), look["cell"]) for cell in row] for row in rows]
            lines = [*_PLAIN, ("LINEBELOW", *_ALL, 0.4, colors.HexColor("#d5d5d5"))]
            yield Grid(cells, colWidths=_widths(head, rows, width), repeatRows=1, hAlign="LEFT", style=lines)
            yield Spacer(1, 6)
        case Quote(who, text):
            yield KeepTogether([Paragraph(_text(text), look["quote"]), Paragraph(_text(who), look["who"])])
        case Drawn(picture, caption):
            yield from (_drawing(picture, width), Paragraph(_text(caption), look["name"]), Spacer(1, 6))
        case Exact(text):
            yield from (Paragraph(_text(line), look["exact"]) for line in text.split("\n"))


def _widths(head: tuple[str, ...], rows: tuple[tuple[str, ...], ...], width: float) -> list[float]:
    """Columns as wide as what stands in them wants, within bounds."""
    wants = [min(max(6, *(len(row[place]) for row in (head, *rows))), 60) for place in range(len(head))]
    return [width * want / sum(wants) for want in wants]


def _drawing(picture: Picture, width: float) -> Any:
    from reportlab.graphics.shapes import Circle, Drawing, Polygon, PolyLine, String
    from reportlab.lib import colors

    scale = width / picture.width
    drawing = Drawing(width, picture.height * scale)

    def place(points: tuple[tuple[float, float], ...]) -> list[float]:
        return [cell for x, y in points for cell in (x * scale, (picture.height - y) * scale)]

    for shape in picture.shapes:
        match shape:
            case Stroke(points, colour, thick, dash):
                line = PolyLine(place(points), strokeColor=colors.HexColor(colour), strokeWidth=thick * scale)
                line.strokeDashArray = [dash * scale, dash * scale] if dash else None
                drawing.add(line)
            case Area(points, colour, opacity):
                fill = colors.Color(*colors.HexColor(colour).rgb(), alpha=opacity)
                drawing.add(Polygon(place(points), fillColor=fill, strokeColor=None))
            case Dot(at, colour, radius):
                x, y = place((at,))
                drawing.add(Circle(x, y, radius * scale, fillColor=colors.HexColor(colour), strokeColor=None))
            case Label(at, text, colour, size, anchor):
                x, y = place((at,))
                words = String(x, y, text, fontName="Minutes", fontSize=size * scale, fillColor=colors.HexColor(colour))
                words.textAnchor = anchor
                drawing.add(words)
    return drawing
