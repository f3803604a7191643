#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes api/assets/docs.html, the reference page served at /docs, from openapi.yaml.

The page is committed, so that building needs no Python; a test makes it anew and compares. It is
one file without scripts: it works under the strictest content security policy, prints, and reads
at 320 pixels. Run with the interpreter of tests/.venv, which has PyYAML.

    tests/.venv/bin/python tools/make_docs.py [--check]
"""

import html
import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = ROOT / "openapi.yaml"
TARGET = ROOT / "api" / "assets" / "docs.html"
METHODS = ("get", "post", "put", "patch", "delete")
BASE = "http://127.0.0.1:8080"
FORM = "application/x-www-form-urlencoded"

STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#566173;--line:#dde2e9;--paper:#fff;
--wash:#f5f7fa;--code:#eef1f5;--link:#0b5cad;--accent:#0e6b5c;--get:#0b5cad;--post:#0e6b5c;
--delete:#a4262c;--key:#7a3e9d;--text:#0e6b5c;--number:#a4530c;--bad:#a4262c}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#9aa6b6;--line:#2c3542;
--paper:#12171e;--wash:#181f28;--code:#1d2530;--link:#74b3f5;--accent:#5fc9b3;--get:#74b3f5;
--post:#5fc9b3;--delete:#ff8a85;--key:#d3a3f0;--text:#7fd8c2;--number:#f0b27a;--bad:#ff8a85}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,
"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
a{color:var(--link);text-decoration-thickness:.06em;text-underline-offset:.18em}
a:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px;
border-radius:3px}
.skip{position:absolute;left:-999rem}
.skip:focus{left:1rem;top:1rem;background:var(--paper);padding:.5rem 1rem;z-index:2}
nav{background:var(--wash);border-bottom:1px solid var(--line);padding:1rem 1.25rem;font-size:.9rem;
max-height:60vh;overflow-y:auto}
nav p{margin:0;font-weight:700;font-size:1.05rem}
nav p small{font-weight:400;color:var(--soft);margin-left:.35rem}
nav h2{font-size:.75rem;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);
margin:1.1rem 0 .3rem;padding:0;border:0}
nav ul{list-style:none;margin:0;padding:0}
nav li a{display:flex;gap:.5rem;align-items:baseline;padding:.16rem 0;color:var(--ink);
text-decoration:none}
nav li a:hover{color:var(--link);text-decoration:underline}
nav .verb{flex:0 0 3.3rem;font-size:.65rem}
nav summary{cursor:pointer;padding:.2rem 0}
main{padding:1.25rem;max-width:62rem}
h1{font-size:2rem;line-height:1.2;margin:.5rem 0 .25rem;letter-spacing:-.02em}
.lead{font-size:1.15rem;color:var(--soft);margin:0 0 1.5rem}
h2{font-size:1.5rem;line-height:1.25;margin:3.5rem 0 .75rem;padding-top:1.25rem;
border-top:2px solid var(--ink);letter-spacing:-.01em}
h3{font-size:1.2rem;line-height:1.3;margin:0}
h4,h2.label{font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);
margin:1.6rem 0 .5rem}
h2.label{border:0;padding:0}
p{margin:.5rem 0}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{font-size:.88em;background:var(--code);border-radius:4px;padding:.08em .3em}
pre{font-size:.8rem;line-height:1.5;background:var(--wash);border:1px solid var(--line);
border-radius:8px;padding:.8rem 1rem;margin:.5rem 0;overflow-x:auto;overflow-wrap:normal;
tab-size:2}
pre code{background:none;padding:0;font-size:1em}
.k{color:var(--key)}.s{color:var(--text)}.n{color:var(--number)}
.operation,.schema{border-top:1px solid var(--line);padding:1.75rem 0 1rem;margin-top:1rem}
.operation:target,.schema:target{box-shadow:-.6rem 0 0 var(--paper),-.85rem 0 0 var(--accent)}
.address{font-size:1rem;margin:.5rem 0;display:flex;gap:.6rem;align-items:baseline;flex-wrap:wrap}
.address code{background:none;padding:0;font-size:.95rem}
.verb{font:700 .75rem/1.4 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;
color:var(--get)}
.verb.post{color:var(--post)}.verb.delete{color:var(--delete)}
.address .verb{border:1.5px solid currentColor;border-radius:5px;padding:.05rem .4rem}
.scopes{font-size:.9rem;color:var(--soft)}
dl{margin:0}
.members>dt{border-top:1px solid var(--line);padding-top:.5rem;margin-top:.5rem}
.members>dt:first-child{border-top:0;margin-top:0;padding-top:0}
.members>dt>code{font-weight:600;background:none;padding:0}
.type{color:var(--soft);font-size:.85rem;margin-left:.4rem}
.must{color:var(--bad);font-size:.75rem;font-weight:600;margin-left:.4rem}
.members>dd{margin:.1rem 0 0;font-size:.95rem}
.members>dd p{margin:.15rem 0}
.members>dd>.members{border-left:2px solid var(--line);margin:.5rem 0 .5rem .2rem;
padding-left:.9rem}
.facts{font-size:.83rem;color:var(--soft)}
.facts code{font-size:.95em}
.responses>dt{display:flex;gap:.6rem;align-items:baseline;border-top:1px solid var(--line);
padding-top:.45rem;margin-top:.45rem}
.responses>dt:first-child{border-top:0;margin-top:0;padding-top:0}
.responses>dt code{font-weight:700;background:none;padding:0}
.responses>dt .good{color:var(--accent)}.responses>dt .bad{color:var(--bad)}
.responses>dd{margin:.1rem 0 0;font-size:.92rem}
.responses>dd p{margin:.1rem 0}
details{margin:.4rem 0}
summary{cursor:pointer;font-size:.92rem}
.one{border-left:2px solid var(--line);margin:.5rem 0 .5rem .2rem;padding-left:.9rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .6rem .45rem 0;
border-top:1px solid var(--line)}
th{font-size:.8rem;color:var(--soft);border-top:0}
footer{margin-top:4rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);
font-size:.85rem}
@media(min-width:64rem){
body{display:grid;grid-template-columns:19rem minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow-y:auto;border-bottom:0;
border-right:1px solid var(--line);padding:1.5rem 1.25rem;max-height:none}
main{padding:2.5rem 3rem;max-width:68rem}
}
@media print{
:root{--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--wash:#fff;--code:#f2f2f2;--link:#000;
--accent:#000;--get:#000;--post:#000;--delete:#000;--key:#000;--text:#000;--number:#000;--bad:#000}
body{display:block;font-size:9.5pt}
nav,.skip{display:none}
main{max-width:none;padding:0}
pre{white-space:pre-wrap;break-inside:avoid;font-size:7.5pt}
h2{break-before:page}
h3,h4,dt{break-after:avoid}
details::details-content{content-visibility:visible;display:block;height:auto}
a{text-decoration:none}
}
"""


def escape(text):
    return html.escape(str(text), quote=True)


def inline(text):
    """Backquotes, **bold** and *emphasis*, and addresses of this page's own making."""
    out = []
    for part in re.split(r"(`[^`]*`)", text):
        if part.startswith("`") and len(part) > 1:
            out.append(f"<code>{escape(part[1:-1])}</code>")
            continue
        part = escape(part)
        part = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", part)
        out.append(re.sub(r"\*([^*\s][^*]*)\*", r"<em>\1</em>", part))
    return "".join(out)


def prose(text):
    blocks = re.split(r"\n\s*\n", text.strip())
    return "".join(f"<p>{inline(' '.join(block.split()))}</p>" for block in blocks)


def highlight(value):
    text = escape(json.dumps(value, indent=2, ensure_ascii=False))
    token = re.compile(r"(&quot;(?:(?!&quot;).)*&quot;)(:?)|\b(-?\d+(?:\.\d+)?|true|false|null)\b")

    def mark(match):
        if match.group(1) is None:
            return f'<span class="n">{match.group(3)}</span>'
        kind = "k" if match.group(2) else "s"
        return f'<span class="{kind}">{match.group(1)}</span>{match.group(2)}'

    return f"<pre><code>{token.sub(mark, text)}</code></pre>"


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


class Page:
    def __init__(self, document):
        self.document = document
        self.schemas = document["components"]["schemas"]

    def resolve(self, node):
        while "$ref" in node:
            target = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            rest = {key: value for key, value in node.items() if key != "$ref"}
            node = {**target, **rest} if rest else target
        return node

    # ---- schemas

    @staticmethod
    def schema_name(schema):
        return schema.get("$ref", "").rpartition("/")[2]

    def type_of(self, schema):
        """A short phrase, linked to the schema where it has a name."""
        name = self.schema_name(schema)
        if name:
            return f'<a href="#schema-{slug(name)}">{escape(name)}</a>'
        if "const" in schema:
            return f"<code>{escape(json.dumps(schema['const']))}</code>"
        if schema.get("type") == "array":
            items = schema.get("items", {})
            return f"list of {self.type_of(items)}"
        if "oneOf" in schema:
            return "one of several"
        if "allOf" in schema:
            return " and ".join(self.type_of(part) for part in schema["allOf"])
        kind = schema.get("type", "any")
        return escape(" or ".join(kind) if isinstance(kind, list) else kind)

    @staticmethod
    def facts(schema):
        """Bounds that a caller must keep, in words."""
        found = []
        if "enum" in schema:
            values = ", ".join(f"<code>{escape(value)}</code>" for value in schema["enum"])
            found.append(f"one of {values}")
        low, high = schema.get("minLength"), schema.get("maxLength")
        if high is not None:
            found.append(f"{low or 0} to {high} characters")
        low, high = schema.get("minimum"), schema.get("maximum")
        if high is not None:
            found.append(f"{low} to {high}")
        elif low is not None:
            found.append(f"at least {low}")
        low, high = schema.get("minItems"), schema.get("maxItems")
        if high is not None:
            found.append(f"{low or 0} to {high} elements")
        elif low is not None:
            found.append(f"at least {low} element" + ("s" if low > 1 else ""))
        if schema.get("uniqueItems"):
            found.append("no two the same")
        if schema.get("maxProperties"):
            found.append(f"at most {schema['maxProperties']} members")
        if "default" in schema:
            found.append(f"default <code>{escape(json.dumps(schema['default']))}</code>")
        if "pattern" in schema:
            found.append(f"matches <code>{escape(schema['pattern'])}</code>")
        words = "; ".join(found)
        return f'<p class="facts">{words[:1].upper()}{words[1:]}.</p>' if found else ""

    def parts(self, schema):
        """Members and required names, with what allOf brings."""
        members, required = {}, set()
        for part in [schema] + schema.get("allOf", []):
            part = self.resolve(part)
            members.update(part.get("properties", {}))
            required.update(part.get("required", []))
        return members, required

    def member(self, name, schema, required):
        must = '<span class="must">required</span>' if required else ""
        out = f'<dt><code>{escape(name)}</code><span class="type">{self.type_of(schema)}</span>'
        out += f"{must}</dt><dd>"
        if "description" in schema:
            out += prose(schema["description"])
        elif self.schema_name(schema) and "description" in self.resolve(schema):
            out += prose(self.resolve(schema)["description"].split("\n\n")[0])
        if not self.schema_name(schema):
            out += self.facts(schema)
            inner = schema.get("items", schema) if schema.get("type") == "array" else schema
            while inner.get("type") == "array":
                inner = inner.get("items", {})
            if not self.schema_name(inner):
                out += self.members(inner)
        return out + "</dd>"

    def members(self, schema):
        out = ""
        members, required = self.parts(schema)
        if members:
            out += '<dl class="members">'
            out += "".join(self.member(n, s, n in required) for n, s in members.items())
            out += "</dl>"
        for choice in schema.get("oneOf", []):
            if self.schema_name(choice):
                out += f'<p class="one">{self.type_of(choice)}</p>'
            elif choice.get("properties"):
                words = choice.get("description", "One form:")
                out += f'<div class="one">{prose(words)}{self.members(choice)}</div>'
        if isinstance(schema.get("additionalProperties"), dict):
            values = schema["additionalProperties"]
            out += f"<p>Any names, with values of type {self.type_of(values)}.</p>"
            out += self.facts(values)
        return out

    def schema_section(self, name, schema):
        out = f'<section class="schema" id="schema-{slug(name)}"><h3>{escape(name)}</h3>'
        out += prose(schema.get("description", ""))
        if not schema.get("properties") and "oneOf" not in schema and "allOf" not in schema:
            out += f'<p class="facts">{self.type_of({**schema, "oneOf": []})}</p>'
            out = out.replace('<p class="facts">one of several</p>', "")
        return out + self.facts(schema) + self.members(schema) + "</section>"

    # ---- operations

    def scopes(self, operation):
        needed = operation.get("security", self.document["security"])
        if not needed:
            return "No token is needed."
        if any("certificate" in choice for choice in needed):
            return "A client certificate of the Directory, and no token."
        names = [scope for choice in needed for scope in choice.get("bearer", [])]
        if not names:
            return "Any valid token."
        return "Scope " + " or ".join(f"<code>{escape(name)}</code>" for name in names)

    def parameters(self, item, operation):
        found = [self.resolve(p) for p in item.get("parameters", []) + operation["parameters"]]
        common = {"X-Request-ID", "traceparent", "x-fapi-interaction-id"}
        out = ""
        for place, title in (("path", "Path"), ("query", "Query"), ("header", "Headers")):
            rows = [p for p in found if p["in"] == place and p["name"] not in common]
            if not rows:
                continue
            out += f'<h4>{title}</h4><dl class="members">'
            for parameter in rows:
                schema = {**parameter["schema"], "description": parameter.get("description", "")}
                out += self.member(parameter["name"], schema, parameter.get("required"))
            out += "</dl>"
        return out

    def example(self, key, example):
        example = self.resolve(example)
        title = escape(example.get("summary", key))
        value = example["value"]
        shown = f"<pre><code>{escape(value)}</code></pre>" if isinstance(value, str) else ""
        return f"<details><summary>{title}</summary>{shown or highlight(value)}</details>"

    def body(self, operation):
        if "requestBody" not in operation:
            return ""
        [(kind, content)] = operation["requestBody"]["content"].items()
        schema = content["schema"]
        out = f"<h4>Body</h4><p><code>{escape(kind)}</code> {self.type_of(schema)}</p>"
        for key, example in content.get("examples", {}).items():
            out += self.example(key, example)
        return out

    def response(self, status, response):
        response = self.resolve(response)
        kind = "good" if status < "400" else "bad"
        out = f'<dt><code class="{kind}">{status}</code></dt><dd>'
        out += prose(response["description"])
        headers = [h for h in response.get("headers", {}) if "-id" not in h.lower()]
        if headers:
            names = ", ".join(f"<code>{escape(name)}</code>" for name in headers)
            out += f'<p class="facts">Headers: {names}</p>'
        for media, content in response.get("content", {}).items():
            if media == "application/problem+json":
                continue
            out += f"<p><code>{escape(media)}</code> {self.type_of(content['schema'])}</p>"
            for key, example in content.get("examples", {}).items():
                out += self.example(key, example)
        return out + "</dd>"

    def problems_of(self, response):
        content = self.resolve(response).get("content", {}).get("application/problem+json")
        return list(content["examples"]) if content else []

    def problem_link(self, name):
        """Those that a profile of AuthZEN names have no page here."""
        ours = name in self.schemas["ProblemName"]["enum"]
        return f'<a href="#problem-{name}">{name}</a>' if ours else f"<code>{name}</code>"

    def responses(self, operation):
        good, bad = "", []
        for status, response in operation["responses"].items():
            names = self.problems_of(response)
            bad += [self.problem_link(name) for name in names]
            if not names or len(self.resolve(response)["content"]) > 1:
                good += self.response(status, response)
        out = f'<h4>Answers</h4><dl class="responses">{good}</dl>'
        if bad:
            out += f'<p class="facts">Problems: {", ".join(bad)}</p>'
        return out

    def curl(self, path, method, item, operation):
        words = ["curl -sS"]
        if method != "get":
            words.append(f"-X {method.upper()}")
        address = path
        for parameter in map(self.resolve, item.get("parameters", [])):
            if parameter["in"] == "path":
                address = address.replace("{%s}" % parameter["name"], parameter["example"])
        words.append(BASE + address)
        lines = [" ".join(words)]
        needed = operation.get("security", self.document["security"])
        if any("certificate" in choice for choice in needed):
            lines.append("--cert application.pem --key application.key")
        elif needed:
            lines.append('-H "Authorization: Bearer $TOKEN"')
        for parameter in map(self.resolve, operation["parameters"]):
            if parameter["name"] == "Idempotency-Key":
                lines.append('-H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)"')
        if FORM in operation.get("requestBody", {}).get("content", {}):
            lines.append("-d token=8xLOxBtZp8")
        elif "requestBody" in operation:
            lines.append("-H 'Content-Type: application/json'")
            lines.append("-d @body.json")
        return "<pre><code>" + escape(" \\\n  ".join(lines)) + "</code></pre>"

    def operation(self, path, method, item):
        operation = {"parameters": [], **item[method]}
        name = operation["operationId"]
        out = f'<section class="operation" id="{name}"><h3>{inline(operation["summary"])}</h3>'
        out += f'<p class="address"><span class="verb {method}">{method.upper()}</span>'
        out += f"<code>{escape(path)}</code></p>"
        out += f'<p class="scopes">{self.scopes(operation)} · <code>{name}</code></p>'
        out += prose(operation.get("description", ""))
        out += self.curl(path, method, item, operation)
        out += self.parameters(item, operation) + self.body(operation)
        return out + self.responses(operation) + "</section>"

    def operations(self, tag):
        for path, item in self.document["paths"].items():
            for method in item:
                if method in METHODS and tag in item[method]["tags"]:
                    yield path, method, item

    # ---- problems

    def problems(self):
        """Name -> problem document, each the first example of its name."""
        found = {}
        for response in self.document["components"]["responses"].values():
            content = response.get("content", {}).get("application/problem+json", {})
            for name, example in content.get("examples", {}).items():
                found.setdefault(name, self.resolve(example)["value"])
        order = self.schemas["ProblemName"]["enum"]
        return {name: found[name] for name in order}

    def problem_section(self):
        out = '<section><h2 id="problems">Problems</h2>'
        out += prose(
            "Every refusal is `application/problem+json`. The last segment of its `type` is one of "
            "these names; the page at that address says what it means and what to do."
        )
        out += '<table><thead><tr><th scope="col">Status</th><th scope="col">Name</th>'
        out += '<th scope="col">Title</th></tr></thead><tbody>'
        for name, problem in self.problems().items():
            out += f'<tr id="problem-{name}"><td>{problem["status"]}</td>'
            out += f'<td><a href="/problems/{name}"><code>{name}</code></a></td>'
            out += f"<td>{escape(problem['title'])}</td></tr>"
        out += "</tbody></table>"
        for name in ("invalid-body", "not-admissible"):
            out += f"<details><summary>An example: {name}</summary>"
            out += highlight(self.problems()[name]) + "</details>"
        return out + "</section>"

    # ---- the whole

    def navigation(self):
        info = self.document["info"]
        out = f'<nav aria-label="Contents"><p>{escape(info["title"])}'
        out += f"<small>{escape(info['version'])}</small></p>"
        out += '<ul><li><a href="#about">About</a></li><li><a href="#problems">Problems</a></li>'
        out += '<li><a href="#schemas">Schemas</a></li></ul>'
        for tag in self.document["tags"]:
            out += f"<h2>{escape(tag['name'])}</h2><ul>"
            for path, method, item in self.operations(tag["name"]):
                name = item[method]["operationId"]
                out += f'<li><a href="#{name}"><span class="verb {method}">{method.upper()}</span>'
                out += f"<span>{inline(item[method]['summary'])}</span></a></li>"
            out += "</ul>"
        names = "".join(
            f'<li><a href="#schema-{slug(name)}">{escape(name)}</a></li>' for name in self.schemas
        )
        return out + f"<details><summary>All schemas</summary><ul>{names}</ul></details></nav>"

    def about(self):
        info = self.document["info"]
        out = f'<h1 id="about">{escape(info["title"])}</h1>'
        out += f'<p class="lead">{inline(info["summary"])}</p>{prose(info["description"])}'
        out += "<p>This page is made from <a href='/openapi.yaml'>openapi.yaml</a>, an OpenAPI 3.1 "
        out += "document for generators of clients. It loads nothing from anywhere.</p>"
        token = self.document["components"]["securitySchemes"]["bearer"]
        out += f'<h2 class="label">Tokens</h2>{prose(token["description"])}'
        out += '<h2 class="label">Headers of every request</h2><dl class="members">'
        for name in ("RequestId", "Traceparent", "FapiInteractionId"):
            parameter = self.document["components"]["parameters"][name]
            schema = {**parameter["schema"], "description": parameter["description"]}
            out += self.member(parameter["name"], schema, False)
        return out + "</dl>"

    def html(self):
        info = self.document["info"]
        out = '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        out += '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        out += f"<title>{escape(info['title'])} {escape(info['version'])}: API reference</title>\n"
        out += f'<meta name="description" content="{escape(info["summary"])}">\n'
        out += f"<style>{STYLE}</style>\n</head>\n<body>\n"
        out += '<a class="skip" href="#main">Skip to the content</a>\n'
        out += self.navigation() + f'\n<main id="main">\n{self.about()}\n'
        for tag in self.document["tags"]:
            out += f'<section><h2 id="{slug(tag["name"])}">{escape(tag["name"])}</h2>'
            out += prose(tag["description"])
            for path, method, item in self.operations(tag["name"]):
                out += "\n" + self.operation(path, method, item)
            out += "</section>\n"
        out += self.problem_section()
        out += '\n<section><h2 id="schemas">Schemas</h2>'
        out += prose("Objects have the members that are listed and no others.")
        out += "\n".join(self.schema_section(n, s) for n, s in self.schemas.items())
        out += f"</section>\n<footer>consentd {escape(info['version'])} · Apache License 2.0"
        return out + "</footer>\n</main>\n</body>\n</html>\n"


def main():
    page = Page(yaml.safe_load(SOURCE.read_text(encoding="utf-8"))).html()
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != page:
            sys.exit(f"{TARGET.relative_to(ROOT)} is stale: run tools/make_docs.py")
        return
    TARGET.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
