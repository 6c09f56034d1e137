//! The documents that are open, and the edits that change them.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::convert::position;
use super::paths;
use super::wire::Refusal;
use crate::data;
use crate::editor::{Document, Encoding, Lines, Shelf, Shift, Studied, Study, Subject};

/// So many edits are kept at least.
const EDITS: usize = 500;

/// A text of so many bytes is read in a few milliseconds.
const SHORT: usize = 32 << 10;

/// A document that is open.
#[derive(Debug)]
pub struct Open {
    /// Its address.
    pub uri: String,
    /// Its path, if it has one.
    pub path: Option<PathBuf>,
    /// Its version.
    pub version: i64,
    /// Its text.
    pub text: Arc<str>,
    /// The latest check.
    pub study: Option<Arc<Study>>,
    /// The latest check of a text without errors of syntax.
    former: Option<Arc<Study>>,
    /// The edits since the text was opened, without the oldest.
    edits: Vec<Shift>,
    /// How many those are that are left out.
    forgotten: usize,
    read: OnceCell<Rc<Document>>,
    /// The last text without errors of syntax.
    whole: Option<Rc<Document>>,
}

/// All that are open, by their addresses.
#[derive(Debug, Default)]
pub struct Desktop {
    /// They.
    pub all: BTreeMap<String, Open>,
    /// The standard library.
    pub shelf: Shelf,
}

impl Open {
    /// Its folder: paths in it are relative to this.
    pub fn folder(&self) -> PathBuf {
        let folder = self.path.as_deref().and_then(Path::parent);
        folder.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
    }

    /// What reports call it.
    fn name(&self) -> String {
        let file = self.path.as_deref().and_then(Path::file_name);
        file.map_or_else(|| self.uri.clone(), |name| name.to_string_lossy().into_owned())
    }

    /// What a check found, seen from the present text.
    fn seen(&self, study: Option<&Arc<Study>>) -> Option<Studied> {
        let study = study?;
        let since = study.edits.checked_sub(self.forgotten).and_then(|from| self.edits.get(from..));
        // Too long ago: as if it were one edit.
        let one = [Shift::between(&study.text, &self.text)];
        Some(Studied::after(study.clone(), since.unwrap_or(&one)))
    }

    fn set(&mut self, text: &str, edits: Vec<Shift>) {
        self.edits.extend(edits);
        if self.edits.len() > 2 * EDITS {
            self.forgotten += EDITS;
            self.edits.drain(..EDITS);
        }
        if let Some(before) = self.read.take().filter(|before| before.is_whole()) {
            self.whole = Some(before);
        }
        self.text = Arc::from(text);
    }

    /// Whether an answer about it needs its tree, and that takes long.
    pub fn is_slow(&self) -> bool {
        self.read.get().is_none() && self.text.len() > SHORT
    }

    /// The tree and names are to be read again: a file that it imports has changed.
    fn refresh(&mut self) {
        self.read.take();
    }
}

impl Desktop {
    /// Opens a document, or gives an open one another text.
    pub fn open(&mut self, uri: &str, version: i64, text: &str) {
        let path = paths::path_of(uri);
        let (text, uri) = (Arc::from(text), uri.to_string());
        let open = Open {
            uri: uri.clone(),
            path,
            version,
            text,
            study: None,
            former: None,
            edits: Vec::new(),
            forgotten: 0,
            read: OnceCell::new(),
            whole: None,
        };
        self.all.insert(uri, open);
    }

    /// Closes one.
    pub fn close(&mut self, uri: &str) {
        self.all.remove(uri);
    }

    /// Makes the changes that an editor tells of, in their order.
    pub fn change(
        &mut self,
        uri: &str,
        version: i64,
        changes: &[Value],
        encoding: Encoding,
    ) -> Result<(), Refusal> {
        let open = self.get_mut(uri)?;
        let mut text = open.text.to_string();
        let mut edits = Vec::new();
        for change in changes {
            let wrong = || Refusal::new(Refusal::PARAMS, "a change has a text");
            let new = change["text"].as_str().ok_or_else(wrong)?;
            if change.get("range").is_none_or(Value::is_null) {
                edits.push(Shift::between(&text, new));
                text = new.to_string();
                continue;
            }
            let lines = Lines::of(&text);
            let start = lines.byte(&text, position(&change["range"]["start"])?, encoding);
            let end = lines.byte(&text, position(&change["range"]["end"])?, encoding).max(start);
            edits.push(Shift::of_edit(text.len(), (start, end), new.len()));
            text.replace_range(start..end, new);
        }
        open.version = version;
        open.set(&text, edits);
        Ok(())
    }

    /// An open document.
    pub fn get(&self, uri: &str) -> Result<&Open, Refusal> {
        self.all.get(uri).ok_or_else(|| Refusal::new(Refusal::PARAMS, format!("`{uri}` is not open")))
    }

    /// An open document, to change it.
    pub fn get_mut(&mut self, uri: &str) -> Result<&mut Open, Refusal> {
        self.all.get_mut(uri).ok_or_else(|| Refusal::new(Refusal::PARAMS, format!("`{uri}` is not open")))
    }

    /// The tree and names of an open document, with the latest check.
    pub fn document<'d>(&'d self, open: &'d Open) -> &'d Rc<Document> {
        open.read.get_or_init(|| {
            let folder = open.folder();
            let texts = |path: &str| {
                let full = folder.join(path);
                let text = self.text_of(&full);
                (full, text)
            };
            let mut document = Document::read(open.text.clone(), &self.shelf, &texts);
            document.bring(open.seen(open.study.as_ref()), open.seen(open.former.as_ref()));
            Rc::new(document)
        })
    }

    /// The last text of an open document that the parser found whole, if the present one is not.
    pub fn whole<'d>(&'d self, open: &'d Open) -> Option<&'d Rc<Document>> {
        if self.document(open).is_whole() { None } else { open.whole.as_ref() }
    }

    /// The text of a file: that of an open document counts.
    pub fn text_of(&self, path: &Path) -> Option<Arc<str>> {
        let open = self.all.values().find(|open| open.path.as_deref() == Some(path));
        let read = || data::read_text(path, "", data::PROGRAM).ok().map(Arc::from);
        open.map(|open| open.text.clone()).or_else(read)
    }

    /// Keeps what a check found.
    pub fn keep(&mut self, uri: &str, study: Study) {
        let Some(open) = self.all.get_mut(uri) else { return };
        let study = Arc::new(study);
        open.study = Some(study.clone());
        if study.is_whole() {
            open.former = Some(study.clone());
        }
        let (seen, former) = (open.seen(Some(&study)), open.seen(open.former.as_ref()));
        if let Some(read) = open.read.get_mut()
            && let Some(document) = Rc::get_mut(read)
        {
            document.bring(seen, former);
        } else {
            open.refresh();
        }
    }

    /// What is to be checked of a document.
    pub fn subject(&self, open: &Open) -> Subject {
        let texts = self.all.values().filter_map(|open| Some((open.path.clone()?, open.text.clone())));
        let open_texts: HashMap<PathBuf, Arc<str>> = texts.collect();
        Subject {
            name: open.name(),
            folder: open.folder(),
            text: open.text.clone(),
            edits: open.forgotten + open.edits.len(),
            open: open_texts,
        }
    }

    /// The open documents but one that import a file; their names are read again.
    pub fn importers(&mut self, path: &Path, but: &str) -> Vec<String> {
        let others = self.all.values().filter(|open| open.uri != but);
        let imports = |open: &&Open| self.document(open).imports().iter().any(|import| import == path);
        let found: Vec<String> = others.filter(imports).map(|open| open.uri.clone()).collect();
        for uri in &found {
            self.all.get_mut(uri).into_iter().for_each(Open::refresh);
        }
        found
    }
}
