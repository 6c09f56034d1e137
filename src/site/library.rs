//! The pages of the library but for the optimizers: functions, distributions, primitives, rules, problems.

use super::builder::{Origin, Site};
use super::html::{escape, link, root};
use super::links::Names;
use super::markdown::comment;
use super::programs::{capital, source};
use super::unit::{Declared, Unit};
use crate::lower;
use crate::syntax::ast::{PrimitiveDecl, StmtKind};
use crate::syntax::{print_expr, print_type};

/// The list of the files.
const LIST: &str = "library/index.html";

/// The functions that are not written in the language.
const BUILTINS: &str = "library/builtins.html";

/// How many uses of each kind are listed.
const USES: usize = 12;

/// Where the built-in functions are told.
pub fn builtins() -> Names {
    lower::builtins().map(|(name, _)| (name.to_string(), format!("{BUILTINS}#{name}"))).collect()
}

/// The files of the library: title, page, and what they hold.
pub fn contents(site: &Site<'_>) -> Vec<(String, String, String)> {
    let mut found = vec![(
        "Built-in functions".to_string(),
        BUILTINS.to_string(),
        "What looks at shapes, at functions or at files".to_string(),
    )];
    let units = site.units(Origin::Library).into_iter().chain(site.units(Origin::Hidden));
    found.extend(units.map(|(_, unit)| (title(unit), unit.page.clone(), unit.title())));
    found
}

/// `Trust regions`, `Rules: algebra`, `Problems: mgh`
fn title(unit: &Unit) -> String {
    let inner = unit.path.trim_start_matches("stdlib/").trim_end_matches(".opt").replace('_', " ");
    capital(&inner.replacen('/', ": ", 1))
}

/// Writes the list and the pages.
pub fn write(site: &mut Site<'_>) {
    let root = root(LIST);
    let mut body = String::from("<h1>Library</h1>\n<ul class=\"cards\">\n");
    for (title, page, about) in contents(site) {
        body += &super::index::card(&link(&root, &page, &escape(&title)), &escape(&about), "");
    }
    body += &super::index::card(&link(&root, "optimizers/index.html", "Optimizers"), "By family", "");
    site.add(LIST, "Library", &(body + "</ul>\n"));
    write_builtins(site);
    let units: Vec<_> = site.units(Origin::Library).into_iter().chain(site.units(Origin::Hidden)).collect();
    for (at, unit) in units {
        let mut body = format!("<h1>{}</h1>\n", escape(&title(unit)));
        body += &intro(site, unit);
        let rules = unit.declared.iter().any(|declared| declared.kind == "rule");
        if !rules {
            unit.declared.iter().filter(|declared| declared.is_told()).for_each(|declared| {
                body += &section(site, at, unit, declared);
            });
        }
        for declared in unit.declared.iter().filter(|declared| declared.is_told()) {
            let said = match rules {
                true => unit.text.get(declared.span.clone()).unwrap_or_default(),
                false => declared.doc.as_str(),
            };
            let text = format!("{said} ({})", title(unit));
            site.find(&declared.name, declared.kind, &unit.href(declared), &text);
        }
        body += &source(site, at, unit, rules);
        site.add(&unit.page, &format!("{} · library", title(unit)), &body);
    }
}

fn write_builtins(site: &mut Site<'_>) {
    let mut body = String::from(
        "<h1>Built-in functions</h1>\n<p>They look at shapes, at functions or at files, and so cannot be written in the language itself.</p>\n<dl class=\"list\">\n",
    );
    let mut all: Vec<(&str, &str)> = lower::builtins().collect();
    all.sort_unstable();
    for (name, about) in all {
        body += &format!(
            "<dt id=\"{name}\"><a href=\"#{name}\"><code>{name}</code></a><code>({})</code></dt><dd>{}</dd>\n",
            escape(&lower::called(name).unwrap_or_default().join(", ")),
            escape(about)
        );
        site.find(name, "function", &format!("{BUILTINS}#{name}"), about);
    }
    site.add(BUILTINS, "Built-in functions", &(body + "</dl>\n"));
}

/// The comment at the beginning of a file.
pub fn intro(site: &Site<'_>, unit: &Unit) -> String {
    let root = root(&unit.page);
    let folder = unit.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    comment(&unit.intro(), &site.markdown(&root, folder))
}

/// The section of a declaration: head, comment, facts, uses.
pub fn section(site: &Site<'_>, at: usize, unit: &Unit, declared: &Declared) -> String {
    let root = root(&unit.page);
    let (id, name) = (escape(&declared.id), escape(&declared.name));
    let painted = site.painted(at);
    let line = super::unit::line_id(declared.line);
    let mut body = format!(
        "<section id=\"{id}\">\n<h3><a href=\"#{}\"><code>{name}</code></a> <span class=\"kind\">{}</span> \
         <a class=\"kind\" href=\"#{line}\">line {}</a></h3>\n<pre class=\"minima\"><code>{}</code></pre>\n",
        super::html::address(&declared.id),
        declared.kind,
        declared.line,
        painted.html(declared.head.clone(), &root)
    );
    body += &comment(&declared.doc, &site.markdown(&root, ""));
    let mut facts = match unit.file.items.get(declared.item).map(|item| &item.kind) {
        Some(StmtKind::Primitive(decl)) => primitive(decl),
        _ => String::new(),
    };
    facts += &site.used_by(&unit.href(declared), &unit.page, USES);
    if !facts.is_empty() {
        body += &format!("<dl class=\"facts\">\n{facts}</dl>\n");
    }
    body + "</section>\n"
}

/// Domain, range, derivative and facts of a primitive.
fn primitive(decl: &PrimitiveDecl) -> String {
    let code = |text: String| format!("<code>{}</code>", escape(&text));
    let domains = decl.params.iter().map(|param| match (&param.set, &param.ty) {
        (Some(set), _) => code(format!("{} in {}", param.name.name, print_expr(set))),
        (None, Some(ty)) => code(format!("{}: {}", param.name.name, print_type(ty))),
        (None, None) => code(param.name.name.to_string()),
    });
    let mut rows = format!("<dt>Domain</dt><dd>{}</dd>\n", domains.collect::<Vec<_>>().join(", "));
    if let Some(range) = &decl.range {
        rows += &format!("<dt>Range</dt><dd>{}</dd>\n", code(print_expr(range)));
    }
    let derivative = decl.derivative.as_ref().map_or("zero wherever it exists".to_string(), |clause| {
        let names: Vec<String> = clause.params.iter().map(|name| name.name.to_string()).collect();
        code(format!("{} -> {}", names.join(", "), print_expr(&clause.body)))
    });
    rows += &format!("<dt>Derivative</dt><dd>{derivative}</dd>\n");
    let facts: Vec<&str> = decl.facts.iter().map(|fact| &*fact.name).collect();
    if !facts.is_empty() {
        rows += &format!("<dt>It is</dt><dd>{}</dd>\n", escape(&facts.join(", ")));
    }
    rows
}
