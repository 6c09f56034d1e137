//! The first page: everything by what it is about.

use super::builder::{Origin, Site};
use super::documents;
use super::html::{escape, link};
use super::optimizers;
use super::programs;

/// The page.
const PAGE: &str = "index.html";

/// Writes the page.
pub fn write(site: &mut Site<'_>) {
    let mut body = String::from(
        "<h1>Minima</h1>\n<p class=\"lead\">A small language and native compiler for objectives and optimizers.</p>\n",
    );
    let own = site.units(Origin::Own);
    if !own.is_empty() {
        body += "<h2 id=\"your-programs\">Your programs</h2>\n<ul class=\"cards\">\n";
        for (_, unit) in own {
            let told = unit.declared.iter().filter(|declared| declared.is_told());
            let names: Vec<String> =
                told.map(|declared| link("", &unit.href(declared), &code(&declared.name))).collect();
            body +=
                &card(&link("", &unit.page, &escape(&unit.path)), &escape(&unit.title()), &names.join(" "));
        }
        body += "</ul>\n";
    }
    body += "<h2 id=\"documents\">Documents</h2>\n<ul class=\"cards\">\n";
    for document in documents::all().into_iter().filter(|document| document.is_for_users) {
        body += &card(&link("", &document.page, &escape(&document.title)), &escape(&document.about), "");
    }
    body += &card(&link("", documents::ERRORS, "Errors"), "A page for each code, with a mended program", "");
    body += "</ul>\n<h2 id=\"library\">Library</h2>\n<ul class=\"cards\">\n";
    for (title, page, about) in super::library::contents(site) {
        body += &card(&link("", &page, &escape(&title)), &escape(&about), "");
    }
    body += "</ul>\n<h2 id=\"optimizers\">Optimizers by family</h2>\n";
    for (family, members) in optimizers::families() {
        let names: Vec<String> =
            members.iter().map(|one| link("", &optimizers::page_of(&one.name), &code(&one.name))).collect();
        let head = link("", &optimizers::place_of(family.name), &escape(&programs::capital(family.name)));
        body += &format!(
            "<h3>{head}</h3>\n<p>{}.</p>\n<p class=\"names\">{}</p>\n",
            escape(family.about),
            names.join(" ")
        );
    }
    site.add(PAGE, "Minima", &body);
}

fn code(name: &str) -> String {
    format!("<code>{}</code>", escape(name))
}

/// A box of a list; all parts are HTML.
pub fn card(head: &str, about: &str, more: &str) -> String {
    let part = |class: &str, text: &str| {
        if text.is_empty() { String::new() } else { format!("<p class=\"{class}\">{text}</p>") }
    };
    format!("<li><strong>{head}</strong>{}{}</li>\n", part("about", about), part("names", more))
}
