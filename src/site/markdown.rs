//! Markdown as HTML. Programs in it are colored and linked, headings have identities, and HTML in it is text.

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

use super::code::snippet;
use super::html::{address, escape, link};
use super::links::Names;

/// A heading of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 1 for the title.
    pub level: usize,
    /// What it says, as text.
    pub text: String,
    /// Its identity.
    pub id: String,
}

/// What text is written with.
pub struct Markdown<'a> {
    /// The way from the page to the top of the site.
    pub root: &'a str,
    /// The folder of the text in the repository, such as `docs/errors/`.
    pub folder: &'a str,
    /// What names mean.
    pub names: &'a Names,
    /// The pages of the site, by the path of what they show.
    pub pages: &'a BTreeMap<String, String>,
}

/// A document as HTML, with its headings.
pub fn document(text: &str, with: &Markdown<'_>) -> (String, Vec<Heading>) {
    let mut writer = Writer::new(text, with, true);
    writer.write();
    (writer.out, writer.headings)
}

/// A comment as HTML: its headings have no identities, and code that says nothing else is Minima.
pub fn comment(text: &str, with: &Markdown<'_>) -> String {
    let mut writer = Writer::new(text, with, false);
    writer.write();
    writer.out
}

/// A heading's identity, as hosts of repositories make it: small letters, hyphens for spaces.
fn slug(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

struct Writer<'a> {
    text: &'a str,
    with: &'a Markdown<'a>,
    /// Whether it is a document rather than a comment.
    whole: bool,
    out: String,
    headings: Vec<Heading>,
    /// Where the heading being read begins in the output, and what it says.
    heading: Option<(usize, String)>,
    /// The program or text being read, with the words of its fence.
    block: Option<(String, String)>,
    /// Whether the cells of the table are of its head.
    head: bool,
    alignments: Vec<Alignment>,
    cell: usize,
    /// What ends each link that is open.
    links: Vec<&'static str>,
    /// Whether each emphasis that is open is one.
    stressed: Vec<bool>,
}

impl<'a> Writer<'a> {
    fn new(text: &'a str, with: &'a Markdown<'a>, whole: bool) -> Writer<'a> {
        Writer {
            text,
            with,
            whole,
            out: String::new(),
            headings: Vec::new(),
            heading: None,
            block: None,
            head: false,
            alignments: Vec::new(),
            cell: 0,
            links: Vec::new(),
            stressed: Vec::new(),
        }
    }

    fn write(&mut self) {
        for (event, place) in Parser::new_ext(self.text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(tag) => self.start(tag, &place),
                Event::End(tag) => self.end(tag, &place),
                Event::Text(text) => self.words(&text),
                Event::Code(code) => self.inline_code(&code),
                Event::Html(html) | Event::InlineHtml(html) => self.words(&html),
                Event::SoftBreak => self.words("\n"),
                Event::HardBreak => self.out += "<br>\n",
                Event::Rule => self.out += "<hr>\n",
                Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                    self.words(&text);
                }
                Event::TaskListMarker(_) => {}
            }
        }
    }

    fn words(&mut self, text: &str) {
        if let Some((_, program)) = &mut self.block {
            program.push_str(text);
            return;
        }
        if let Some((_, said)) = &mut self.heading {
            said.push_str(text);
        }
        self.out += &escape(text);
    }

    /// Code inside a line: a link where it begins with a name of the library, or is the path of a page.
    fn inline_code(&mut self, code: &str) {
        if let Some((_, said)) = &mut self.heading {
            said.push_str(code);
        }
        let shown = format!("<code>{}</code>", escape(code));
        let end = code.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(code.len());
        let (name, rest) = code.split_at(end);
        let called = rest.is_empty() || rest.starts_with('(');
        let target = self.with.names.get(name).filter(|_| called).or_else(|| self.with.pages.get(code));
        let free = self.links.is_empty() && self.heading.is_none();
        self.out += &target.filter(|_| free).map_or(shown.clone(), |href| link(self.with.root, href, &shown));
    }

    fn start(&mut self, tag: Tag<'_>, place: &Range<usize>) {
        match tag {
            Tag::Paragraph => self.out += "<p>",
            Tag::Heading { .. } => self.heading = Some((self.out.len(), String::new())),
            Tag::BlockQuote(_) => self.out += "<blockquote>\n",
            Tag::CodeBlock(kind) => {
                let fence = match kind {
                    CodeBlockKind::Fenced(words) => words.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.block = Some((fence, String::new()));
            }
            Tag::List(None) => self.out += "<ul>\n",
            Tag::List(Some(first)) => self.out += &format!("<ol start=\"{first}\">\n"),
            Tag::Item => self.out += "<li>",
            Tag::Table(alignments) => {
                self.alignments = alignments;
                self.out += "<div class=\"wide\"><table>\n";
            }
            Tag::TableHead => {
                self.head = true;
                self.cell = 0;
                self.out += "<thead><tr>";
            }
            Tag::TableRow => {
                self.cell = 0;
                self.out += "<tr>";
            }
            Tag::TableCell => {
                let right = matches!(self.alignments.get(self.cell), Some(Alignment::Right));
                let class = if right { " class=\"right\"" } else { "" };
                self.out += &format!("<{}{class}>", if self.head { "th" } else { "td" });
                self.cell += 1;
            }
            Tag::Emphasis => self.emphasis(true, place),
            Tag::Strong => self.out += "<strong>",
            Tag::Link { link_type, dest_url, .. } => self.link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => self.image(&dest_url),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, place: &Range<usize>) {
        match tag {
            TagEnd::Paragraph => self.out += "</p>\n",
            TagEnd::Heading(level) => self.end_heading(level),
            TagEnd::BlockQuote(_) => self.out += "</blockquote>\n",
            TagEnd::CodeBlock => self.end_block(),
            TagEnd::List(false) => self.out += "</ul>\n",
            TagEnd::List(true) => self.out += "</ol>\n",
            TagEnd::Item => self.out += "</li>\n",
            TagEnd::Table => self.out += "</tbody></table></div>\n",
            TagEnd::TableHead => {
                self.head = false;
                self.out += "</tr></thead>\n<tbody>\n";
            }
            TagEnd::TableRow => self.out += "</tr>\n",
            TagEnd::TableCell => self.out += if self.head { "</th>" } else { "</td>" },
            TagEnd::Emphasis => self.emphasis(false, place),
            TagEnd::Strong => self.out += "</strong>",
            TagEnd::Link => self.out += self.links.pop().unwrap_or_default(),
            TagEnd::Image => self.out += "</figcaption></figure>",
            _ => {}
        }
    }

    /// Emphasis; the stars of `2*x*dx` are none.
    fn emphasis(&mut self, begins: bool, place: &Range<usize>) {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let before = self.text.get(..place.start).and_then(|text| text.chars().next_back());
        let after = self.text.get(place.end..).and_then(|text| text.chars().next());
        if begins {
            self.stressed.push(!letter(before) && !letter(after));
        }
        let stressed = if begins { self.stressed.last().copied() } else { self.stressed.pop() };
        let sign = self.text.get(place.start..).and_then(|text| text.chars().next()).unwrap_or('*');
        match (stressed == Some(true), begins) {
            (true, true) => self.out += "<em>",
            (true, false) => self.out += "</em>",
            (false, _) => self.words(sign.encode_utf8(&mut [0; 4])),
        }
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        let Some((start, text)) = self.heading.take() else { return };
        let inside = self.out.split_off(start);
        let level = level as usize;
        if !self.whole {
            self.out += &format!("<p><strong>{inside}</strong></p>\n");
            return;
        }
        let plain = slug(&text);
        let taken = |id: &str| self.headings.iter().any(|heading| heading.id == id);
        let id = (0..).map(|n| if n == 0 { plain.clone() } else { format!("{plain}-{n}") });
        let id = id.into_iter().find(|id| !taken(id)).unwrap_or_default();
        self.out += &format!(
            "<h{level} id=\"{}\">{}</h{level}>\n",
            escape(&id),
            link("", &format!("#{id}"), &inside)
        );
        self.headings.push(Heading { level, text, id });
    }

    fn end_block(&mut self) {
        let Some((fence, text)) = self.block.take() else { return };
        let language = fence.split_whitespace().next().unwrap_or(if self.whole { "text" } else { "minima" });
        let inside = match language {
            "minima" => snippet(self.with.root, &text, self.with.names),
            _ => escape(&text),
        };
        let class = if language == "minima" { "minima" } else { "plain" };
        self.out += &format!("<pre class=\"{class}\"><code>{inside}</code></pre>\n");
    }

    /// A link to a page of the site or of the web; any other is its text alone.
    fn link(&mut self, kind: LinkType, target: &str) {
        let web = ["https://", "http://"].iter().any(|scheme| target.starts_with(scheme));
        let href = match kind {
            LinkType::Email => None,
            _ if web => Some(escape(target)),
            _ => self.resolved(target),
        };
        if let Some(href) = &href {
            self.out += &format!("<a href=\"{href}\">");
        }
        self.links.push(if href.is_some() { "</a>" } else { "" });
    }

    /// The address of a page from a path in the repository.
    fn resolved(&self, target: &str) -> Option<String> {
        let (path, place) =
            target.split_once('#').map_or((target, None), |(path, place)| (path, Some(place)));
        let place = place.map_or(String::new(), |place| format!("#{place}"));
        if path.is_empty() {
            return Some(address(&place));
        }
        let mut parts: Vec<&str> = self.with.folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in path.split('/') {
            match part {
                ".." => drop(parts.pop()),
                "." => {}
                part => parts.push(part),
            }
        }
        let page = self.with.pages.get(&parts.join("/"))?;
        Some(format!("{}{}", self.with.root, address(&format!("{page}{place}"))))
    }

    fn image(&mut self, target: &str) {
        let shown = self.resolved(target).map(|href| format!("<img src=\"{href}\" alt=\"\">"));
        self.out += &format!("<figure>{}<figcaption>", shown.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Markdown, Names, comment, document, slug};

    fn told(text: &str) -> String {
        let names: Names = [("adam".to_string(), "optimizers/adam.html".to_string())].into();
        let pages: BTreeMap<String, String> = [("docs/a.md".to_string(), "docs/a.html".to_string())].into();
        comment(text, &Markdown { root: "../", folder: "docs/errors/", names: &names, pages: &pages })
    }

    #[test]
    fn comments_are_markdown_without_tags_of_their_own() {
        assert_eq!(
            told("A <b>bold</b> & *real* one."),
            "<p>A &lt;b&gt;bold&lt;/b&gt; &amp; <em>real</em> one.</p>\n"
        );
        assert_eq!(told("moves by 2*x*dx, x_old"), "<p>moves by 2*x*dx, x_old</p>\n");
        assert_eq!(told("[a](javascript:alert(1)) <javascript:alert(1)>"), "<p>a javascript:alert(1)</p>\n");
        assert_eq!(told("[a](../a.md#b)"), "<p><a href=\"../docs/a.html#b\">a</a></p>\n");
        assert_eq!(
            told("`adam(lr = 1)`"),
            "<p><a href=\"../optimizers/adam.html\"><code>adam(lr = 1)</code></a></p>\n"
        );
        assert!(told("<script>alert(1)</script>").starts_with("&lt;script&gt;"));
        assert!(!told("![x](http://a/b.png \"t\") <img src=x onerror=alert(1)>").contains("<img"));
    }

    #[test]
    fn headings_have_identities_of_their_own() {
        assert_eq!(slug("8. Optimizers, `each` & co"), "8-optimizers-each--co");
        let (names, pages) = (Names::new(), BTreeMap::new());
        let with = Markdown { root: "", folder: "", names: &names, pages: &pages };
        let (html, headings) = document("# A\n## A\n### `b`\n", &with);
        let ids: Vec<&str> = headings.iter().map(|heading| heading.id.as_str()).collect();
        assert_eq!(ids, ["a", "a-1", "b"]);
        assert!(html.contains("<h2 id=\"a-1\"><a href=\"#a-1\">A</a></h2>"), "{html}");
    }
}
