//! The documents and the pages about errors.

use std::collections::BTreeMap;

use super::builder::Site;
use super::embedded;
use super::html::{escape, link, root};
use super::markdown::{Heading, document};
use super::programs::capital;

/// The list of the documents.
const LIST: &str = "docs/index.html";

/// The list of the pages about errors.
pub const ERRORS: &str = "docs/errors/index.html";

/// The documents to read first, in this order; others follow by their names.
const FIRST: [&str; 4] = ["tutorial", "language", "coming-from", "new-optimizer"];

/// Documents about how Minima itself is built.
const INSIDE: [&str; 5] = ["adding-an-op", "architecture", "benchmarks", "growth", "style"];

/// How many headings a page has before it begins with a list of them.
const MANY: usize = 4;

/// A document.
pub struct Document {
    /// Its page.
    pub page: String,
    /// Its first heading.
    pub title: String,
    /// Its first sentence.
    pub about: String,
    /// Whether it is about using Minima rather than building it.
    pub is_for_users: bool,
    text: &'static str,
}

/// The documents in the order of the lists.
pub fn all() -> Vec<Document> {
    let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    let mut names: Vec<_> = embedded::documents().to_vec();
    names.sort_by_key(|(name, _)| (INSIDE.contains(name), place(name), *name));
    let told = |(name, text): (&'static str, &'static str)| {
        let title = text.lines().next().unwrap_or_default().trim_start_matches("# ").replace('`', "");
        Document {
            page: format!("docs/{name}.html"),
            title,
            about: capital(&first_sentence(text)),
            is_for_users: !INSIDE.contains(&name),
            text,
        }
    };
    names.into_iter().map(told).collect()
}

/// The first sentence behind the title, without marks.
fn first_sentence(text: &str) -> String {
    let plain =
        |part: &&str| part.trim_start().starts_with(|c: char| c.is_alphanumeric() || "`*[".contains(c));
    let fence = |part: &&str| part.trim_start().starts_with("```");
    let parts = text.split("\n\n").skip(1).filter(|part| plain(part) && !fence(part));
    let paragraph =
        parts.map(|part| part.replace('\n', " ").replace(['`', '*'], "")).next().unwrap_or_default();
    let end = paragraph.find(". ").or_else(|| paragraph.find(": ")).unwrap_or(paragraph.len());
    paragraph.get(..end).unwrap_or_default().trim_end_matches(['.', ':']).to_string()
}

/// The pages of the documents, by their paths.
pub fn pages() -> BTreeMap<String, String> {
    let mut pages: BTreeMap<String, String> = embedded::documents()
        .iter()
        .map(|(name, _)| (format!("docs/{name}.md"), format!("docs/{name}.html")))
        .collect();
    for (code, _) in embedded::error_pages() {
        pages.insert(format!("docs/errors/{code}.md"), error_page(code));
    }
    pages.extend(embedded::PICTURES.iter().map(|(path, _)| ((*path).to_string(), (*path).to_string())));
    pages.insert("docs/errors".into(), ERRORS.into());
    pages
}

fn error_page(code: &str) -> String {
    if code == "README" { ERRORS.to_string() } else { format!("docs/errors/{code}.html") }
}

/// Writes the list and the pages.
pub fn write(site: &mut Site<'_>) {
    let list_root = root(LIST);
    let mut list = String::from("<h1>Documents</h1>\n");
    for (head, id, users) in
        [("For programs", "for-programs", true), ("How it is built", "how-it-is-built", false)]
    {
        list += &format!("<h2 id=\"{id}\">{head}</h2>\n<ul class=\"cards\">\n");
        for document in all().into_iter().filter(|document| document.is_for_users == users) {
            let head = link(&list_root, &document.page, &escape(&document.title));
            list += &super::index::card(&head, &escape(&document.about), "");
        }
        if users {
            list += &super::index::card(&link(&list_root, ERRORS, "Errors"), "A page for each code", "");
        }
        list += "</ul>\n";
    }
    site.add(LIST, "Documents", &list);
    for one in all() {
        write_document(site, &one);
    }
    for (code, text) in embedded::error_pages() {
        let page = error_page(code);
        let root = root(&page);
        let (html, headings) = document(text, &site.markdown(&root, "docs/errors/"));
        let title = headings.first().map_or(*code, |heading| heading.text.as_str()).to_string();
        if *code != "README" {
            site.find(code, "error", &page, &title);
        }
        site.add(&page, &title, &html);
    }
}

fn write_document(site: &mut Site<'_>, one: &Document) {
    let root = root(&one.page);
    let (html, headings) = document(one.text, &site.markdown(&root, "docs/"));
    let contents = contents(&headings);
    let body = match html.split_once("</h1>\n") {
        Some((title, rest)) => format!("{title}</h1>\n{contents}{rest}"),
        None => contents + &html,
    };
    for heading in &headings {
        let text = if heading.level == 1 { one.about.as_str() } else { one.title.as_str() };
        site.find(&heading.text, "document", &format!("{}#{}", one.page, heading.id), text);
    }
    site.add(&one.page, &one.title, &body);
}

/// The headings of the second level, where there are many.
fn contents(headings: &[Heading]) -> String {
    let parts: Vec<&Heading> = headings.iter().filter(|heading| heading.level == 2).collect();
    if parts.len() < MANY {
        return String::new();
    }
    let items = parts
        .iter()
        .map(|part| format!("<li>{}</li>", link("", &format!("#{}", part.id), &escape(&part.text))));
    format!(
        "<details class=\"contents\"><summary>Contents</summary><ul>{}</ul></details>\n",
        items.collect::<String>()
    )
}
