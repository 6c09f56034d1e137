//! A text that is edited: its tree, its names, and what the last check found of it.

use std::path::PathBuf;
use std::sync::Arc;

use super::names::{Def, Names, Target, Use};
use super::shelf::Shelf;
use super::study::{Place, Studied};
use super::text::Lines;
use crate::diag::{FileId, Report, Sources, Span};
use crate::lower::{Denoted, Member};
use crate::syntax::ast::File;
use crate::syntax::parse_file;

/// Gives the path of an imported file, and its text if it can be read.
pub type Texts<'t> = &'t dyn Fn(&str) -> (PathBuf, Option<Arc<str>>);

/// A text with its tree and names.
#[derive(Debug)]
pub struct Document {
    /// The text.
    pub text: Arc<str>,
    /// Its lines.
    pub lines: Lines,
    /// Its tree.
    pub file: File,
    /// What the parser says of it.
    pub reports: Vec<Report>,
    /// Its names.
    pub names: Names,
    /// The paths and texts of the files it imports; the text itself stands first.
    sources: Sources,
    trees: Vec<Arc<File>>,
    /// The imports as they are written.
    written: Vec<Arc<str>>,
    paths: Vec<PathBuf>,
    /// The paths of all imports, also of those that could not be read.
    wanted: Vec<PathBuf>,
    /// The latest check.
    pub study: Option<Studied>,
    /// The latest one of a text without errors of syntax, if that is another.
    former: Option<Studied>,
}

impl Document {
    /// Reads a text.
    pub fn read(text: Arc<str>, shelf: &Shelf, texts: Texts<'_>) -> Document {
        let mut sources = Sources::default();
        let id = sources.add("", text.clone());
        let (file, reports) = parse_file(id, &text);
        let (mut paths, mut trees, mut wanted) = (vec![PathBuf::new()], Vec::new(), Vec::new());
        for path in imported(&file) {
            let (full, text) = texts(&path);
            wanted.push(full.clone());
            if let Some(text) = text {
                let id = sources.add(full.display().to_string(), text.clone());
                trees.push((path, Arc::new(parse_file(id, &text).0)));
                paths.push(full);
            }
        }
        let tree =
            |path: &str| trees.iter().find(|(known, _)| **known == *path).map(|(_, tree)| tree.clone());
        let names = Names::of(&file, text.len(), &|name| shelf.has(name), &tree);
        let lines = Lines::of(&text);
        let (written, trees) = trees.into_iter().unzip();
        Document {
            text,
            lines,
            file,
            reports,
            names,
            sources,
            trees,
            written,
            paths,
            wanted,
            study: None,
            former: None,
        }
    }

    /// Brings what a check found of this text or of an earlier one, and what one found of a whole text.
    pub fn bring(&mut self, study: Option<Studied>, former: Option<Studied>) {
        self.study = study;
        self.former = former;
    }

    /// Whether the parser found no error.
    pub fn is_whole(&self) -> bool {
        !self.reports.iter().any(Report::is_error)
    }

    /// The text of a span of it.
    pub fn written(&self, span: Span) -> &str {
        self.sources.text(span)
    }

    /// The text of a file, its own or one that it imports.
    pub fn source(&self, file: FileId) -> &str {
        self.sources.get(file).1
    }

    /// The statements of a file, its own or one that it imports.
    pub fn items(&self, file: FileId) -> &[crate::syntax::ast::Stmt] {
        match (file.0 as usize).checked_sub(1) {
            None => &self.file.items,
            Some(at) => self.trees.get(at).map_or(&[], |tree| &tree.items),
        }
    }

    /// The path of an import that could be read.
    pub fn imported(&self, written: &str) -> Option<&std::path::Path> {
        let at = self.written.iter().position(|path| **path == *written)?;
        self.paths.get(at + 1).map(PathBuf::as_path)
    }

    /// The path and text of an import that could be read.
    pub fn imported_text(&self, written: &str) -> Option<(PathBuf, Arc<str>)> {
        let at = self.written.iter().position(|path| **path == *written)?;
        let id = FileId(u32::try_from(at + 1).unwrap_or(u32::MAX));
        Some((self.paths.get(at + 1)?.clone(), Arc::from(self.source(id))))
    }

    /// The paths of the files it imports.
    pub fn imports(&self) -> &[PathBuf] {
        &self.wanted
    }

    /// Where a span stands.
    pub fn place(&self, span: Span) -> Place {
        let text: Arc<str> =
            if span.file == FileId(0) { self.text.clone() } else { Arc::from(self.sources.get(span.file).1) };
        let origin = match self.paths.get(span.file.0 as usize) {
            Some(path) if span.file != FileId(0) => super::study::Origin::File(path.clone()),
            _ => super::study::Origin::Own,
        };
        Place { origin, text, start: span.start as usize, end: span.end as usize }
    }

    /// What a span denotes, as the latest check found.
    pub fn denoted(&self, span: Span) -> &[Denoted] {
        if span.file == FileId(0) { self.found(span.start as usize, span.end as usize) } else { &[] }
    }

    /// What some bytes denote, as the latest check found, or one before the text was broken.
    pub fn found(&self, start: usize, end: usize) -> &[Denoted] {
        let of = |study: &'_ Option<Studied>| study.as_ref().map(|study| study.of(start, end).len());
        let latest = of(&self.study).unwrap_or(0) > 0;
        let seen = if latest { &self.study } else { &self.former };
        seen.as_ref().map_or(&[], |study| study.of(start, end))
    }

    /// What a definition denotes; parameters of what is called in many ways may denote many things.
    pub fn meaning(&self, def: &Def) -> &[Denoted] {
        self.denoted(def.at)
    }

    /// The definition that a use means: a field may be a param or report of a solve.
    pub fn target(&self, one: &Use) -> Option<usize> {
        match one.target {
            Target::Def(def) => Some(def),
            Target::Field(base) => self.field_def(base, &one.name),
            _ => None,
        }
    }

    fn field_def(&self, base: Span, name: &str) -> Option<usize> {
        let at = self.denoted(base).iter().find_map(|what| member(what, name))?.at?;
        let seen = [&self.study, &self.former].into_iter().flatten();
        let (start, _) = seen.into_iter().find_map(|study| study.own(at))?;
        let own = |def: &Def| def.at.file == FileId(0) && def.at.start as usize == start;
        self.names.defs.iter().position(own)
    }

    /// The definition that is meant at a place: of the name that stands there, defined or used.
    pub fn meant_at(&self, at: usize) -> Option<(usize, Span)> {
        let at = u32::try_from(at).ok()?;
        if let Some(def) = self.names.def_at(at) {
            return Some((def, self.names.defs[def].at));
        }
        let one = self.names.use_at(at)?;
        Some((self.target(one)?, one.at))
    }

    /// Where a definition is used in this text.
    pub fn uses_of(&self, def: usize) -> Vec<&Use> {
        self.names.uses.iter().filter(|one| self.target(one) == Some(def)).collect()
    }
}

/// The member of a name.
pub fn member<'m>(what: &'m Denoted, name: &str) -> Option<&'m Member> {
    what.fields.iter().find(|member| *member.name == *name)
}

fn imported(file: &File) -> Vec<Arc<str>> {
    let path = |item: &crate::syntax::ast::Stmt| match &item.kind {
        crate::syntax::ast::StmtKind::Import { path, .. } => Some(path.clone()),
        _ => None,
    };
    file.items.iter().filter_map(path).collect()
}
