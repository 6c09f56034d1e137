//! The embedded standard library, parsed by need, declaration by declaration.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use crate::diag::{FileId, Report, Sources};
use crate::ir::{PrimitiveFacts, Primitives};
use crate::lower::primitive_facts_of;
use crate::math::Prim;
use crate::syntax::ast::File;
use crate::syntax::{parse_file, parse_part};

/// What the library declares. `build.rs` lists it.
#[derive(Debug)]
struct Declared {
    /// Whether the name is that of its machine function; these stand behind all others.
    native: bool,
    name: &'static str,
    /// Its file, by its place in the table of files.
    file: usize,
    /// Where it stands in its file.
    place: Range<usize>,
}

include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

/// The path of the primitives.
const PRIMITIVES: &str = "stdlib/primitives.opt";

/// The files of the standard library by the names they declare.
#[derive(Debug, Default)]
pub struct Library {
    /// The identities of the files that a declaration was read of.
    files: HashMap<usize, FileId>,
    /// The declarations that were read.
    parsed: HashMap<&'static str, Rc<File>>,
}

impl Library {
    /// Nothing is read yet.
    pub fn new() -> Library {
        Library::default()
    }

    /// The names declared, in the alphabet's order.
    pub fn names(&self) -> Vec<Arc<str>> {
        DECLARED.iter().filter(|declared| !declared.native).map(|declared| Arc::from(declared.name)).collect()
    }

    /// The parsed declaration of a name.
    pub fn file_of(&mut self, name: &str, sources: &mut Sources) -> Option<(Rc<File>, Vec<Report>)> {
        let declared = declared(false, name)?;
        if let Some(file) = self.parsed.get(name) {
            return Some((file.clone(), Vec::new()));
        }
        let (path, text) = FILES[declared.file];
        let id = *self.files.entry(declared.file).or_insert_with(|| sources.add(path, text));
        let (file, reports) = parse_part(id, text, declared.place.clone());
        let file = Rc::new(file);
        self.parsed.insert(declared.name, file.clone());
        Some((file, reports))
    }

    /// Parses a file by its path, such as `stdlib/primitives.opt`.
    pub fn parse(path: &str, sources: &mut Sources) -> Option<(Rc<File>, Vec<Report>)> {
        let (name, text) = FILES.iter().find(|(name, _)| *name == path)?;
        let id: FileId = sources.add(*name, *text);
        let (file, reports) = parse_file(id, text);
        Some((Rc::new(file), reports))
    }

    /// The facts of the primitives, each read when it is first asked for. Their file is the first of the sources.
    ///
    /// # Panics
    /// When a fact is asked for, if its declaration is wrong, which the tests would show.
    pub fn primitives(sources: &mut Sources) -> Primitives {
        let text = FILES.iter().find(|(name, _)| *name == PRIMITIVES).map_or("", |(_, text)| text);
        let id = sources.add(PRIMITIVES, text);
        Primitives::by_need(Box::new(move |prim| facts(prim, id, text)))
    }

    /// The paths and texts of all files.
    pub fn files() -> &'static [(&'static str, &'static str)] {
        FILES
    }
}

/// The declaration of a name, or of a machine function.
fn declared(native: bool, name: &str) -> Option<&'static Declared> {
    let at = DECLARED.binary_search_by(|declared| (declared.native, declared.name).cmp(&(native, name)));
    at.ok().map(|at| &DECLARED[at])
}

/// What the library says of a primitive.
fn facts(prim: Prim, file: FileId, text: &'static str) -> PrimitiveFacts {
    let Some(declared) = declared(true, prim.name()) else {
        return PrimitiveFacts::default();
    };
    let (tree, reports) = parse_part(file, text, declared.place.clone());
    let found = primitive_facts_of(&tree);
    assert!(
        !reports.iter().any(Report::is_error),
        "the declaration of {} is wrong: {reports:?}",
        prim.name()
    );
    found.unwrap_or_else(|reports| panic!("the facts of {} are wrong: {reports:?}", prim.name()))
}

#[cfg(test)]
mod tests {
    use super::{DECLARED, FILES, Library};
    use crate::diag::Sources;
    use crate::syntax::ast::StmtKind;

    #[test]
    fn every_declaration_is_read_alone_as_it_is_read_with_its_file() {
        let mut sources = Sources::default();
        let mut library = Library::new();
        for declared in DECLARED.iter().filter(|declared| !declared.native) {
            let (file, reports) = library.file_of(declared.name, &mut sources).expect("it is listed");
            assert!(reports.is_empty(), "{}: {reports:?}", declared.name);
            let (whole, _) = Library::parse(FILES[declared.file].0, &mut sources).expect("the file exists");
            assert_eq!(file.items.len(), 1, "{}", declared.name);
            let own = &file.items[0];
            let there = whole.items.iter().find(|item| item.span.start == own.span.start);
            let there = there.expect("it stands in its file");
            assert_eq!(own.span.end, there.span.end, "{}", declared.name);
            assert!(!matches!(own.kind, StmtKind::Error));
        }
    }

    #[test]
    fn every_primitive_has_its_facts() {
        let mut sources = Sources::default();
        let by_need = Library::primitives(&mut sources);
        let (file, _) = Library::parse(super::PRIMITIVES, &mut sources).expect("the file exists");
        let whole = crate::lower::primitive_facts(&file).expect("the file is right");
        for prim in crate::math::Prim::all() {
            let (own, there) = (by_need.of(prim), whole.of(prim));
            assert_eq!((&own.domains, &own.range, &own.facts), (&there.domains, &there.range, &there.facts));
            assert_eq!(own.derivative.is_some(), there.derivative.is_some(), "{}", prim.name());
        }
    }
}
