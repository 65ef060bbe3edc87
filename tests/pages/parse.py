"""Parses pages as HTML strictly, and validates JUnit reports against a schema.

    python parse.py SCHEMA FILE...
"""
import sys

import html5lib
import xmlschema


def page(path):
    """What is wrong with a page, each with its place."""
    with open(path, "rb") as file:
        parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
        document = parser.parse(file, transport_encoding="utf-8")
    wrong = [
        f"{path}:{line}: {code} {data}"
        for (line, _), code, data in parser.errors
    ]
    names = [element.get("id") for element in document.iter() if element.get("id")]
    for name in sorted({name for name in names if names.count(name) > 1}):
        wrong.append(f"{path}: the id `{name}` stands more than once")
    for element in document.iter():
        if element.tag in ("script", "link", "img", "iframe", "object"):
            wrong.append(f"{path}: there is a <{element.tag}>")
    for name in ("title", "h1", "main"):
        if document.find(f".//{name}") is None:
            wrong.append(f"{path}: there is no <{name}>")
    return wrong


def main(schema, *paths):
    junit = xmlschema.XMLSchema(schema)
    # The schema must be able to refuse.
    assert not junit.is_valid("<testsuites><testcase name='a'/></testsuites>")
    wrong = []
    for path in paths:
        if path.endswith(".html"):
            wrong += page(path)
        else:
            wrong += [f"{path}: {error.reason} at {error.path}" for error in junit.iter_errors(path)]
    for text in wrong:
        print(text, file=sys.stderr)
    print(f"    {len(paths)} files parsed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
