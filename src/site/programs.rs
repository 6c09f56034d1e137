//! The pages of programs: those of the user with all that they declare, and the examples.

use super::builder::{Origin, Site};
use super::html::{escape, link, root};
use super::library::{intro, section};
use super::markdown::comment;
use super::optimizers;
use super::unit::{Unit, range};
use crate::driver::{self, Optimizer};
use crate::syntax::ast::{ObjectiveDecl, StmtKind};

/// The list of the examples.
const EXAMPLES: &str = "examples/index.html";

/// What a program is called in a list.
pub fn label(unit: &Unit) -> String {
    let stem = unit.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".opt");
    let paper = if unit.path.starts_with("examples/papers/") { unit.paper() } else { String::new() };
    if paper.is_empty() { stem.to_string() } else { paper }
}

/// The text with a capital at its beginning.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Writes the pages of the user's programs and of the examples.
pub fn write(site: &mut Site<'_>) {
    for (at, unit) in site.units(Origin::Own) {
        let body = own(site, at, unit);
        for declared in unit.declared.iter().filter(|declared| declared.is_told()) {
            site.find(&declared.name, declared.kind, &unit.href(declared), &declared.doc);
        }
        site.find(&unit.path, "program", &unit.page, &unit.intro());
        site.add(&unit.page, &unit.path, &body);
    }
    let root = root(EXAMPLES);
    let mut list = String::from("<h1>Examples</h1>\n");
    for (origin, id, head) in [
        (Origin::Examples, "ideas", "One idea per file"),
        (Origin::Papers, "papers", "A program for each paper"),
    ] {
        list += &format!("<h2 id=\"{id}\">{head}</h2>\n<ul class=\"cards\">\n");
        for (at, unit) in site.units(origin) {
            let title = if origin == Origin::Papers { unit.paper() } else { unit.title() };
            let name = unit.path.trim_start_matches("examples/").trim_start_matches("papers/");
            list += &super::index::card(&link(&root, &unit.page, &escape(name)), &escape(&title), "");
            site.find(
                name,
                if origin == Origin::Papers { "paper" } else { "example" },
                &unit.page,
                &unit.intro(),
            );
            let mut body = format!("<h1>{}</h1>\n", escape(&unit.path));
            body += &intro(site, unit);
            body += &source(site, at, unit, true);
            site.add(&unit.page, &format!("{name} · examples"), &body);
        }
        list += "</ul>\n";
    }
    site.add(EXAMPLES, "Examples", &list);
}

/// The page of a program of the user.
fn own(site: &Site<'_>, at: usize, unit: &Unit) -> String {
    let mut body = format!("<h1>{}</h1>\n", escape(&unit.path));
    body += &intro(site, unit);
    let found = driver::optimizers(&unit.file, &unit.path, &unit.text);
    for declared in unit.declared.iter().filter(|declared| declared.is_told()) {
        let told = section(site, at, unit, declared);
        body += told.trim_end().trim_end_matches("</section>");
        match unit.file.items.get(declared.item).map(|item| &item.kind) {
            Some(StmtKind::Objective(decl)) => body += &objective(site, at, unit, decl),
            Some(StmtKind::Optimizer(decl)) => {
                let same = |one: &&Optimizer| std::sync::Arc::ptr_eq(&one.decl, decl);
                body += &found.iter().find(same).map_or(String::new(), optimizer);
            }
            _ => {}
        }
        body += "</section>\n";
    }
    body + &source(site, at, unit, false)
}

/// What is told of an optimizer beside its comment.
fn optimizer(optimizer: &Optimizer) -> String {
    let needs = optimizers::facts(optimizer);
    format!("<dl class=\"facts\">\n{needs}</dl>\n{}", optimizers::table(&optimizer.params))
}

/// What is told of an objective beside its comment: params, what is minimized, reports.
fn objective(site: &Site<'_>, at: usize, unit: &Unit, decl: &ObjectiveDecl) -> String {
    let root = root(&unit.page);
    let mut rows = String::new();
    for item in &decl.body.items {
        let whole = range(item.span);
        let (word, from) = match &item.kind {
            StmtKind::Param(param) => ("Param", range(param.name.span).start),
            StmtKind::Clause(clause) if clause.maximize => ("Maximized", whole.start),
            StmtKind::Clause(_) => ("Minimized", whole.start),
            StmtKind::Report { name, .. } => ("Report", range(name.span).start),
            _ => continue,
        };
        let code = site.painted(at).html(from..whole.end, &root);
        let about = item.doc.as_deref().map_or(String::new(), |doc| comment(doc, &site.markdown(&root, "")));
        rows += &format!("<dt>{word}</dt><dd><code>{code}</code>{about}</dd>\n");
    }
    format!("<dl class=\"facts\">\n{rows}</dl>\n")
}

/// The whole source of a program. Where the page has no sections, the lines have the names of declarations.
pub fn source(site: &Site<'_>, at: usize, unit: &Unit, named: bool) -> String {
    let ids = if named { unit.lines_of() } else { std::collections::HashMap::new() };
    let listing = site.painted(at).listing(&root(&unit.page), &ids);
    format!("<h2 id=\"its-source\">Source</h2>\n<p class=\"path\">{}</p>\n{listing}", escape(&unit.path))
}
