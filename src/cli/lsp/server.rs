//! The state of the server, and what each message does to it.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::convert::Converter;
use super::desk::{Desk, Done, said};
use super::open::{Desktop, Open};
use super::wire::{self, Refusal};
use super::{paths, requests};
use crate::cli::exit;
use crate::editor::{Encoding, Lines};

/// A text waits so long after an edit before it is checked.
const WAIT: Duration = Duration::from_millis(80);

/// What the server is told.
#[derive(Debug)]
pub enum Event {
    /// A message of the editor.
    Message(Value),
    /// Something that is no message.
    Malformed(String),
    /// The editor has closed.
    End,
    /// A check is done.
    Checked(Done),
}

/// How far the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before `initialize`.
    New,
    /// Between `initialize` and `shutdown`.
    Running,
    /// After `shutdown`.
    Ended,
}

/// The server.
pub struct Server {
    out: Box<dyn Write>,
    desk: Arc<Desk>,
    phase: Phase,
    /// How columns are counted.
    pub encoding: Encoding,
    /// Whether the editor shows further places of a diagnostic.
    related: bool,
    /// The documents that are open.
    pub desktop: Desktop,
    /// Those that were opened or edited and are still to be checked, and how long each waits.
    changed: BTreeMap<String, Duration>,
}

/// What waits, of what makes a request pointless.
#[derive(Debug, Default)]
struct Later {
    /// How many edits of each document.
    edits: HashMap<String, usize>,
    /// The requests that the editor no longer wants.
    cancelled: Vec<Value>,
}

impl Later {
    fn of(events: &[Event]) -> Later {
        let mut later = Later::default();
        for event in events {
            let Event::Message(message) = event else { continue };
            match message["method"].as_str() {
                Some("textDocument/didChange") => *later.edits.entry(document(message)).or_default() += 1,
                Some("$/cancelRequest") => later.cancelled.push(message["params"]["id"].clone()),
                _ => {}
            }
        }
        later
    }

    /// Why a request among them need not be answered. One about a text that is read, or soon read, is answered.
    fn refusal(&self, request: &Value, desktop: &Desktop) -> Option<Refusal> {
        if self.cancelled.contains(&request["id"]) {
            return Some(Refusal::new(Refusal::CANCELLED, "the request was cancelled"));
        }
        let uri = document(request);
        let old = self.edits.get(&uri).is_some_and(|count| *count > 0);
        let slow = desktop.get(&uri).is_ok_and(Open::is_slow);
        (old && slow).then(|| Refusal::new(Refusal::MODIFIED, "the text was edited since"))
    }

    /// An edit was made.
    fn done(&mut self, message: &Value) {
        if message["method"] == "textDocument/didChange"
            && let Some(count) = self.edits.get_mut(&document(message))
        {
            *count -= 1;
        }
    }
}

fn document(message: &Value) -> String {
    message["params"]["textDocument"]["uri"].as_str().unwrap_or_default().to_string()
}

impl Server {
    /// A server that nobody has spoken to.
    pub fn new(desk: Arc<Desk>, out: Box<dyn Write>) -> Server {
        let desktop = Desktop::default();
        Server {
            out,
            desk,
            phase: Phase::New,
            encoding: Encoding::Utf16,
            related: false,
            desktop,
            changed: BTreeMap::new(),
        }
    }

    /// Takes all that waits, in its order; gives the exit code when the last event is among it. Checks begin when
    /// all of it was taken, so that many edits are one.
    pub fn take(&mut self, events: Vec<Event>) -> Option<u8> {
        let mut later = Later::of(&events);
        for event in events {
            if let Event::Message(message) = &event
                && let Some(id) = message.get("id")
                && let Some(refusal) = later.refusal(message, &self.desktop)
            {
                self.send(&wire::response(id, Err(refusal)));
                continue;
            }
            if let Event::Message(message) = &event {
                later.done(message);
            }
            let code = self.take_one(event);
            if code.is_some() {
                return code;
            }
        }
        self.check_changed();
        None
    }

    fn take_one(&mut self, event: Event) -> Option<u8> {
        match event {
            Event::Message(message) => return self.message(&message),
            Event::Malformed(why) => {
                let refusal = Refusal::new(Refusal::PARSE, why);
                self.send(&wire::response(&Value::Null, Err(refusal)));
            }
            Event::Checked(done) => self.checked(done),
            Event::End => return Some(self.farewell()),
        }
        None
    }

    fn farewell(&self) -> u8 {
        if self.phase == Phase::Ended { exit::OK } else { exit::PROGRAM }
    }

    fn send(&mut self, message: &Value) {
        // An editor that is gone reads nothing; its end of the input follows.
        let _ = wire::write(&mut self.out, message);
    }

    fn log(&mut self, text: &str) {
        self.send(&wire::notification("window/logMessage", json!({ "type": 1, "message": text })));
    }

    fn message(&mut self, message: &Value) -> Option<u8> {
        let id = message.get("id");
        let Some(method) = message["method"].as_str() else {
            // An answer to something that was asked of the editor, or nothing sensible.
            if id.is_none() || !(message.get("result").is_some() || message.get("error").is_some()) {
                let refusal = Refusal::new(Refusal::INVALID, "a message has a method");
                self.send(&wire::response(id.unwrap_or(&Value::Null), Err(refusal)));
            }
            return None;
        };
        let params = &message["params"];
        match id {
            None if method == "exit" => return Some(self.farewell()),
            None => self.notified(method, params),
            Some(id) => {
                let answer = self.request(method, params);
                self.send(&wire::response(id, answer));
            }
        }
        None
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<Value, Refusal> {
        match (self.phase, method) {
            (Phase::New, "initialize") => Ok(self.initialize(params)),
            (Phase::New, _) => Err(Refusal::new(Refusal::EARLY, "`initialize` comes first")),
            (Phase::Running, "initialize") => Err(Refusal::new(Refusal::INVALID, "`initialize` comes once")),
            (Phase::Running, "shutdown") => {
                self.phase = Phase::Ended;
                Ok(Value::Null)
            }
            (Phase::Running, _) => {
                let answer = panic::catch_unwind(AssertUnwindSafe(|| requests::answer(self, method, params)));
                answer.unwrap_or_else(|panic| {
                    let said = format!("internal error, please report: {}", said(&*panic));
                    self.log(&format!("{method}: {said}"));
                    Err(Refusal::new(Refusal::INTERNAL, said))
                })
            }
            (Phase::Ended, _) => Err(Refusal::new(Refusal::INVALID, "the server is shut down")),
        }
    }

    fn initialize(&mut self, params: &Value) -> Value {
        self.phase = Phase::Running;
        let abilities = &params["capabilities"];
        let known = abilities["general"]["positionEncodings"].as_array();
        let utf8 = known.is_some_and(|known| known.first().is_some_and(|first| first == "utf-8"));
        self.encoding = if utf8 { Encoding::Utf8 } else { Encoding::Utf16 };
        self.related =
            abilities["textDocument"]["publishDiagnostics"]["relatedInformation"].as_bool().unwrap_or(false);
        json!({
            "capabilities": requests::abilities(self.encoding),
            "serverInfo": { "name": "minima", "version": env!("CARGO_PKG_VERSION") },
        })
    }

    fn notified(&mut self, method: &str, params: &Value) {
        if self.phase != Phase::Running {
            return;
        }
        let done = panic::catch_unwind(AssertUnwindSafe(|| self.notice(method, params)));
        match done {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => self.log(&format!("{method}: {}", refusal.message)),
            Err(panic) => self.log(&format!("{method}: internal error, please report: {}", said(&*panic))),
        }
    }

    fn notice(&mut self, method: &str, params: &Value) -> Result<(), Refusal> {
        let text = |value: &Value| {
            let wrong = || Refusal::new(Refusal::PARAMS, "a text is needed");
            value.as_str().map(str::to_string).ok_or_else(wrong)
        };
        let document = &params["textDocument"];
        let version = document["version"].as_i64().unwrap_or(0);
        match method {
            "textDocument/didOpen" => {
                let uri = text(&document["uri"])?;
                self.desktop.open(&uri, version, &text(&document["text"])?);
                self.changed.insert(uri, Duration::ZERO);
            }
            "textDocument/didChange" => {
                let uri = text(&document["uri"])?;
                let changes = params["contentChanges"].as_array().cloned().unwrap_or_default();
                self.desktop.change(&uri, version, &changes, self.encoding)?;
                self.changed.insert(uri, WAIT);
            }
            "textDocument/didClose" => {
                let uri = text(&document["uri"])?;
                self.desktop.close(&uri);
                self.desk.forget(&uri);
                self.publish(&uri, None, Vec::new());
            }
            // Data or imports may have been written.
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                let all: Vec<String> = self.desktop.all.keys().cloned().collect();
                all.iter().for_each(|uri| self.check(uri, WAIT));
            }
            _ => {}
        }
        Ok(())
    }

    /// A document is to be checked. The files of the library are only looked at.
    fn check(&mut self, uri: &str, wait: Duration) {
        let Ok(open) = self.desktop.get(uri) else { return };
        if !open.path.as_deref().is_some_and(paths::in_library) {
            self.desk.put(uri, open.version, self.desktop.subject(open), wait);
        }
    }

    /// The documents that were opened or edited are to be checked, and those that import them.
    fn check_changed(&mut self) {
        for (uri, wait) in std::mem::take(&mut self.changed) {
            self.check(&uri, wait);
            let Some(path) = paths::path_of(&uri) else { continue };
            for importer in self.desktop.importers(&path, &uri) {
                self.check(&importer, WAIT);
            }
        }
    }

    fn checked(&mut self, done: Done) {
        let Done { uri, version, found } = done;
        let study = match found {
            Ok(study) => study,
            Err(said) => {
                self.log(&format!("the check of {uri} failed: internal error, please report: {said}"));
                return;
            }
        };
        let Ok(open) = self.desktop.get(&uri) else { return };
        let current = open.version == version && open.text == study.text;
        if current {
            let lines = Lines::of(&study.text);
            let converter =
                Converter { uri: &uri, text: &study.text, lines: &lines, encoding: self.encoding };
            let diagnostics = converter.diagnostics(&study, self.related);
            self.publish(&uri, Some(version), diagnostics);
        }
        self.desktop.keep(&uri, *study);
    }

    fn publish(&mut self, uri: &str, version: Option<i64>, diagnostics: Vec<Value>) {
        let mut params = json!({ "uri": uri, "diagnostics": diagnostics });
        if let Some(version) = version {
            params["version"] = version.into();
        }
        self.send(&wire::notification("textDocument/publishDiagnostics", params));
    }
}
