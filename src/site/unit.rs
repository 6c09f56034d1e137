//! A program as the site sees it: its text, its tree, what it declares and where that is told.

use std::collections::HashMap;
use std::ops::Range;

use crate::diag::{FileId, Span};
use crate::syntax::ast::{File, MembersDecl, Pattern, Stmt, StmtKind};
use crate::syntax::parse_file;

/// A program with its page.
#[derive(Debug)]
pub struct Unit {
    /// Where its page stands in the site.
    pub page: String,
    /// The path by which people know it.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its tree.
    pub file: File,
    /// What it declares at its top level.
    pub declared: Vec<Declared>,
}

/// A declaration.
#[derive(Debug)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// What it is: `function`, `optimizer`, …
    pub kind: &'static str,
    /// Its documentation.
    pub doc: String,
    /// Where it is told on the page.
    pub id: String,
    /// Its place among the items of the tree.
    pub item: usize,
    /// Its text, without its documentation.
    pub span: Range<usize>,
    /// Its head: what a caller has to know.
    pub head: Range<usize>,
    /// Its line, from 1.
    pub line: usize,
}

impl Declared {
    /// Whether it has a section of its own, rather than a line of the source.
    pub fn is_told(&self) -> bool {
        self.kind != "value"
    }
}

impl Unit {
    /// Reads a program. What cannot be read is shown in its source and nowhere else.
    pub fn read(page: impl Into<String>, path: &str, text: &str) -> Unit {
        let (file, _) = parse_file(FileId::default(), text);
        let mut unit =
            Unit { page: page.into(), path: path.into(), text: text.into(), file, declared: Vec::new() };
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (item, stmt) in unit.file.items.iter().enumerate() {
            for (name, kind) in names(stmt) {
                let span = range(stmt.span);
                let line = line_of(&unit.text, span.start);
                let count = seen.entry(name.clone()).or_default();
                *count += 1;
                let id = match (kind, *count) {
                    ("value", _) => line_id(line),
                    (_, 1) => name.clone(),
                    (_, n) => format!("{name}-{n}"),
                };
                let doc = stmt.doc.as_deref().unwrap_or_default().to_string();
                let head = head(stmt, &unit.text);
                unit.declared.push(Declared { name, kind, doc, id, item, span, head, line });
            }
        }
        unit
    }

    /// The address of a declaration.
    pub fn href(&self, declared: &Declared) -> String {
        format!("{}#{}", self.page, declared.id)
    }

    /// The comment at the beginning of the file, if it is not about the first declaration.
    pub fn intro(&self) -> String {
        let lines = self.text.lines().take_while(|line| line.starts_with("//") && !line.starts_with("///"));
        let lines: Vec<&str> = lines.map(|line| line.trim_start_matches('/').trim()).collect();
        lines.join("\n")
    }

    /// The first sentence of the comment at the beginning, without marks.
    pub fn title(&self) -> String {
        title(&self.intro())
    }

    /// The title of the paper that a program is about: the comment at its beginning up to the year, or the first
    /// sentence. A comment of documentation counts where it stands first.
    pub fn paper(&self) -> String {
        let lines = self.text.lines().take_while(|line| line.starts_with("//"));
        let text: String = lines.map(|line| format!("{} ", line.trim_start_matches('/').trim())).collect();
        let year = |end: &usize| {
            let before = text.get(..*end).unwrap_or_default();
            before.chars().rev().take(4).filter(char::is_ascii_digit).count() == 4
        };
        match text.match_indices(')').map(|(at, _)| at).find(year) {
            Some(end) => text.get(..=end).unwrap_or_default().replace('`', ""),
            None => title(&text),
        }
    }

    /// Where the source of a declaration stands, when the page shows the whole source.
    pub fn lines_of(&self) -> HashMap<usize, String> {
        let told = self.declared.iter().filter(|declared| declared.is_told());
        told.map(|declared| (declared.line, declared.id.clone())).collect()
    }
}

/// The first sentence of a comment, without marks.
fn title(comment: &str) -> String {
    let text = comment.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "");
    let end = text.find(". ").unwrap_or_else(|| text.trim_end_matches('.').len());
    text.get(..end).unwrap_or_default().to_string()
}

/// The identity of a line of a source; no name of a program has a hyphen.
pub fn line_id(line: usize) -> String {
    format!("line-{line}")
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// The bytes of a span.
pub fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// What a statement declares.
fn names(stmt: &Stmt) -> Vec<(String, &'static str)> {
    let one = |name: &crate::syntax::ast::Ident, kind| vec![(name.name.to_string(), kind)];
    match &stmt.kind {
        StmtKind::Fn(decl) => one(&decl.name, "function"),
        StmtKind::Primitive(decl) => one(&decl.name, "primitive"),
        StmtKind::Rule(decl) => one(&decl.name, "rule"),
        StmtKind::Type(decl) => one(&decl.name, "type"),
        StmtKind::Objective(decl) => one(&decl.name, "objective"),
        StmtKind::Optimizer(decl) => one(&decl.name, "optimizer"),
        StmtKind::Members(decl) => one(&decl.name, kind_of(decl)),
        StmtKind::Input { name, .. } => one(name, "value"),
        StmtKind::Import { name: Some(name), .. } => one(name, "value"),
        StmtKind::Let { pattern, .. } | StmtKind::Var { pattern, .. } | StmtKind::Draw { pattern, .. } => {
            let mut found = Vec::new();
            bound(pattern, &mut found);
            found
        }
        _ => Vec::new(),
    }
}

fn kind_of(decl: &MembersDecl) -> &'static str {
    if decl.distribution { "distribution" } else { "set" }
}

fn bound(pattern: &Pattern, found: &mut Vec<(String, &'static str)>) {
    match pattern {
        Pattern::Name(name) if &*name.name != "_" => found.push((name.name.to_string(), "value")),
        Pattern::Name(_) => {}
        Pattern::Tuple(items, _) => items.iter().for_each(|item| bound(item, found)),
    }
}

/// From the first word of a declaration to what stands before its body.
fn head(stmt: &Stmt, text: &str) -> Range<usize> {
    let start = stmt.span.start as usize;
    let end = match &stmt.kind {
        StmtKind::Fn(decl) => decl.body.span.start as usize,
        StmtKind::Objective(decl) => decl.body.span.start as usize,
        StmtKind::Optimizer(decl) => decl.body.span.start as usize,
        StmtKind::Members(decl) => decl.members.first().map_or(stmt.span.end, |m| m.name.span.start) as usize,
        StmtKind::Primitive(_) => {
            let whole = text.get(range(stmt.span)).unwrap_or_default();
            start + whole.find("native").unwrap_or(whole.len())
        }
        _ => stmt.span.end as usize,
    };
    let whole = text.get(start..end).unwrap_or_default();
    start..start + whole.trim_end_matches(|c: char| c.is_whitespace() || "={(".contains(c)).len()
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn declarations_have_heads_lines_and_identities() {
        let text = "// What it is.\n\n/// Twice.\nfn twice(x: real[n]) -> real[n] = 2*x\n\
                    objective o(k: real) {\n  param w = 0.0\n  minimize k*w^2\n}\nlet (a, b) = (1, 2)\n";
        let unit = Unit::read("files/a.html", "a.opt", text);
        let found: Vec<(&str, &str, &str, usize)> = unit
            .declared
            .iter()
            .map(|d| (d.name.as_str(), &unit.text[d.head.clone()], d.id.as_str(), d.line))
            .collect();
        assert_eq!(found[0], ("twice", "fn twice(x: real[n]) -> real[n]", "twice", 4));
        assert_eq!(found[1], ("o", "objective o(k: real)", "o", 5));
        assert_eq!((found[2].0, found[2].2, found[3].0), ("a", "line-9", "b"));
        assert_eq!((unit.title().as_str(), unit.declared[0].doc.as_str()), ("What it is", "Twice."));
    }

    #[test]
    fn programs_with_errors_are_read_as_far_as_they_can_be() {
        for text in ["fn f(", "}", "optimizer o { step {", "fn f(x) = x\nfn f(x) = x", "let = 3\nfn g(x) = x"]
        {
            let unit = Unit::read("a.html", "a.opt", text);
            let mut ids: Vec<&String> = unit.declared.iter().map(|d| &d.id).collect();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), unit.declared.len(), "{text}");
        }
    }
}
