//! `minima explain`: a page for every code.

use super::output::Output;
use super::source::Failure;
use super::{exit, json};
use crate::diag::nearest;
use crate::site::error_pages;

/// Prints the page of a code, or the list of all codes.
pub fn explain(code: Option<&str>, output: Output) -> Result<u8, Failure> {
    let code = code.map(str::to_uppercase);
    let text = match &code {
        Some(code) => page(code)?.to_string(),
        None => pages().map(|(code, page)| format!("{code}  {}", title(page))).collect::<Vec<_>>().join("\n"),
    };
    output.result(text.trim_end());
    if output.json {
        output.report(&json::explain(code.as_deref(), &text));
    }
    Ok(exit::OK)
}

/// The pages of codes. There is one more, the list of them.
fn pages() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    error_pages().iter().filter(|(code, _)| *code != "README")
}

fn page(code: &str) -> Result<&'static str, Failure> {
    let found = pages().find(|(known, _)| *known == code);
    found.map(|(_, page)| *page).ok_or_else(|| {
        let near = nearest(code, pages().map(|(known, _)| *known));
        let near =
            near.map_or("`minima explain` lists all codes".into(), |near| format!("did you mean {near}?"));
        Failure::usage(format!("there is no code `{code}`; {near}"))
    })
}

/// The first line of a page, without its sign and code.
fn title(page: &str) -> &str {
    let line = page.lines().next().unwrap_or("");
    line.trim_start_matches("# ").split_once(". ").map_or(line, |(_, title)| title)
}
