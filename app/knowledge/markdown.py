"""Markdown and plain text: headings, paragraphs, tables."""

import re
from collections.abc import Iterator

from app.knowledge.sections import Section, row_in_words

_FRONT_MATTER = re.compile(r"\A---\n(?P<fields>.*?)\n(?:---|\.\.\.)\n", re.DOTALL)
_FIELD = re.compile(r"^(title|lang|language):[ \t]*[\"']?(.*?)[\"']?[ \t]*$", re.MULTILINE)
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_TABLE_RULE = frozenset("-|: \t")
_CELL_END = re.compile(r"(?<!\\)\|")
_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*(?:[ \t]+\"[^\"\n]*\")?\)")
_STRONG = re.compile(r"(?<!\w)(?:\*\*|`)(?=\S)|(?<=\S)(?:\*\*|`)(?!\w)")
_COMMENT, _COMMENT_END = "<!--", "-->"
_HEADING_CHARACTERS = 200


def front_matter(text: str) -> dict[str, str]:
    """The title and the language that the head of a Markdown file names."""
    found = _FRONT_MATTER.match(text)
    return dict(_FIELD.findall(found["fields"])) if found else {}


def plain_sections(text: str) -> Iterator[Section]:
    """A text without headings: what stands between empty lines belongs together."""
    paragraphs = tuple(each.strip("\n") for each in re.split(r"\n[ \t]*\n", text) if each.strip())
    yield Section((), paragraphs)


def markdown_sections(text: str) -> Iterator[Section]:
    """The text under each heading, with the headings above it."""
    found = _FRONT_MATTER.match(text)
    text = _without_comments(text[found.end() :] if found else text)
    headings: dict[int, str] = {}
    paragraphs: list[str] = []
    for level, block in _blocks(text.split("\n")):
        if not level:
            paragraphs.append(block)
            continue
        if paragraphs:
            yield Section(tuple(headings.values()), tuple(paragraphs))
            paragraphs = []
        headings = {each: words for each, words in headings.items() if each < level} | {level: block}
    if paragraphs:
        yield Section(tuple(headings.values()), tuple(paragraphs))


def heading_of(text: str) -> str:
    """A heading as it is read aloud."""
    return _clean(text.strip(" \t#")[:_HEADING_CHARACTERS])


def _without_comments(text: str) -> str:
    first, *others = text.split(_COMMENT)
    return first + "".join(each.partition(_COMMENT_END)[2] for each in others)


def _blocks(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Headings with their level, and paragraphs with level 0."""
    block: list[str] = []
    fence = ""
    for line in lines:
        if fence or _FENCE.match(line):
            if not fence:
                yield from _paragraph(block)
                block = []
            block.append(line)
            if not (fence := _still_open(fence, line)):
                yield from _paragraph(block)
                block = []
        elif heading := _HEADING.match(line):
            yield from _paragraph(block)
            block = []
            yield len(heading[1]), heading_of(heading[2])
        elif (rule := _UNDERLINE.match(line)) and len(block) == 1 and "|" not in block[0]:
            yield 1 if rule[1][0] == "=" else 2, heading_of(block.pop())
        elif not line.strip() or rule:
            yield from _paragraph(block)
            block = []
        else:
            block.append(line)
    yield from _paragraph(block)


def _still_open(fence: str, line: str) -> str:
    """The fence that code stands behind after this line; empty where it is closed."""
    found = _FENCE.match(line)
    if not fence:
        return found[1] if found else ""
    return "" if found and found[1].startswith(fence) else fence


def _paragraph(lines: list[str]) -> Iterator[tuple[int, str]]:
    if not lines:
        return
    if len(lines) > 1 and "|" in lines[0] and _TABLE_RULE.issuperset(lines[1]):
        header = _cells(lines[0])
        for line in lines[2:]:
            yield 0, row_in_words(header, _cells(line))
    elif _FENCE.match(lines[0]):
        yield 0, "\n".join(line for line in lines if not _FENCE.match(line))
    else:
        yield 0, _clean("\n".join(lines))


def _cells(line: str) -> list[str]:
    line = line.strip().removeprefix("|").removesuffix("|")
    return [_clean(each).replace("\\|", "|").strip() for each in _CELL_END.split(line)]


def _clean(text: str) -> str:
    """As it is read aloud: without what makes links and bold print."""
    return _STRONG.sub("", _IMAGE_OR_LINK.sub(r"\1", text)).strip("\n")
