//! The pages of the optimizers: paper, comment, hyper-parameters, what it needs, source, what uses it.

use super::builder::{Origin, Site};
use super::html::{escape, link, root};
use super::markdown::comment;
use super::needs::needs;
use super::programs::capital;
use crate::driver::{self, Family, HyperParam, Optimizer};

/// The list by family.
const LIST: &str = "optimizers/index.html";

/// How many uses of each kind are listed.
const USES: usize = 30;

/// The page of an optimizer of the library.
pub fn page_of(name: &str) -> String {
    format!("optimizers/{name}.html")
}

/// Where the list shows a family.
pub fn place_of(family: &str) -> String {
    format!("{LIST}#{}", family.replace(' ', "-"))
}

/// The families with their optimizers.
pub fn families() -> Vec<(Family, Vec<Optimizer>)> {
    let all = driver::catalogue();
    let of = |family: &Family| all.iter().filter(|one| one.family == Some(family.name)).cloned().collect();
    driver::families()
        .into_iter()
        .map(|family| {
            let members = of(&family);
            (family, members)
        })
        .collect()
}

/// Writes the list and the pages.
pub fn write(site: &mut Site<'_>) {
    let root = root(LIST);
    let mut body = String::from("<h1>Optimizers</h1>\n");
    for (family, members) in families() {
        let id = family.name.replace(' ', "-");
        body += &format!(
            "<h2 id=\"{id}\"><a href=\"#{id}\">{}</a></h2>\n<p>{}.</p>\n<dl class=\"list\">\n",
            escape(&capital(family.name)),
            escape(&capital(family.about))
        );
        for optimizer in &members {
            let source = optimizer.source().unwrap_or_default();
            body += &format!(
                "<dt>{} <span class=\"source\">{}</span></dt><dd>{}.</dd>\n",
                link(&root, &page_of(&optimizer.name), &format!("<code>{}</code>", escape(&optimizer.name))),
                escape(&source),
                inline(site, &root, &optimizer.line())
            );
        }
        body += "</dl>\n";
    }
    site.add(LIST, "Optimizers", &body);
    for (_, unit) in site.units(Origin::Optimizers) {
        for declared in unit.declared.iter().filter(|declared| declared.kind == "function") {
            site.find(&declared.name, "function", &unit.href(declared), &declared.doc);
        }
    }
    let members = |(family, members): (Family, Vec<Optimizer>)| {
        members.into_iter().map(move |optimizer| (family.clone(), optimizer))
    };
    for (family, optimizer) in families().into_iter().flat_map(members) {
        let page = page_of(&optimizer.name);
        let paper = optimizer.source().unwrap_or_default();
        site.find(
            &optimizer.name,
            "optimizer",
            &page,
            &format!("{paper}: {} {}.", optimizer.doc, family.name),
        );
        let body = told(site, &optimizer, &page);
        site.add(&page, &format!("{} · optimizers", optimizer.name), &body);
    }
}

/// A comment of one line, without a paragraph around it.
fn inline(site: &Site<'_>, root: &str, text: &str) -> String {
    let html = comment(text, &site.markdown(root, ""));
    html.trim().trim_start_matches("<p>").trim_end_matches("</p>").to_string()
}

/// The page of an optimizer.
fn told(site: &Site<'_>, optimizer: &Optimizer, page: &str) -> String {
    let root = root(page);
    let mut body = format!("<h1><code>{}</code></h1>\n", escape(&optimizer.name));
    body += &comment(&optimizer.doc, &site.markdown(&root, ""));
    body += "<dl class=\"facts\">\n";
    if let Some(family) = optimizer.family {
        body += &format!("<dt>Family</dt><dd>{}</dd>\n", link(&root, &place_of(family), &escape(family)));
    }
    if let Some(source) = optimizer.source() {
        body += &format!("<dt>Paper</dt><dd>{}</dd>\n", escape(&source));
    }
    body += &facts(optimizer);
    body += &site.used_by(page, page, USES);
    body += "</dl>\n";
    body += &table(&optimizer.params);
    if let Some((at, unit)) = site.units(Origin::Optimizers).into_iter().find(|(_, unit)| unit.page == page) {
        body += &format!("<h2 id=\"its-source\">Source</h2>\n<p class=\"path\">{}</p>\n", escape(&unit.path));
        body += &site.painted(at).listing(&root, &unit.lines_of());
    }
    body
}

/// What it needs, as a row of facts.
pub fn facts(optimizer: &Optimizer) -> String {
    let takes = optimizer.params.iter().any(|param| param.ty.as_deref() == Some("optimizer"));
    let found = needs(&optimizer.text, takes);
    let found = if found.is_empty() { "nothing but the params".into() } else { found.join("; ") };
    format!("<dt>Needs</dt><dd>{}</dd>\n", escape(&found))
}

/// The hyper-parameters as a table.
pub fn table(params: &[HyperParam]) -> String {
    if params.is_empty() {
        return "<p>It has no hyper-parameters.</p>\n".into();
    }
    let cell = |text: Option<&str>, none: &str| {
        text.map_or_else(
            || format!("<td>{none}</td>"),
            |text| format!("<td><code>{}</code></td>", escape(text)),
        )
    };
    let mut body = String::from(
        "<div class=\"wide\"><table>\n<thead><tr><th>Hyper-parameter</th><th>Type</th><th>Range</th><th>Default</th></tr></thead>\n<tbody>\n",
    );
    for param in params {
        body += &format!(
            "<tr>{}{}{}{}</tr>\n",
            cell(Some(&param.name), ""),
            cell(param.ty.as_deref(), "any"),
            cell(param.range.as_deref(), ""),
            cell(param.default.as_deref(), "must be given")
        );
    }
    body + "</tbody></table></div>\n"
}
