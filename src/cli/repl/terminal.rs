//! The line editor: prompts, history, completion, colors.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustyline::completion::{Completer, Pair};
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Context, Editor, Event, EventContext,
    EventHandler, Helper, KeyCode, KeyEvent, Modifiers, RepeatCount,
};

use super::complete::complete;
use super::{Flow, Repl, colors, history, is_incomplete};
use crate::cli::args::Options;
use crate::cli::source::Failure;
use crate::run::Interpreter;

/// What stands before an entry.
const PROMPT: &str = "> ";
/// The most entries of the history.
const REMEMBERED: usize = 10_000;

/// What the line editor asks for.
struct Assistant {
    interpreter: Rc<RefCell<Interpreter>>,
    color: bool,
}

impl Helper for Assistant {}

impl Hinter for Assistant {
    type Hint = String;
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let found = self.interpreter.try_borrow_mut().map(|mut known| complete(&mut known, line, pos));
        let (start, words) = found.unwrap_or((pos, Vec::new()));
        let pair = |(display, replacement)| Pair { display, replacement };
        Ok((start, words.into_iter().map(pair).collect()))
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        let plain = !self.color || line.trim_start().starts_with(':');
        if plain { Cow::Borrowed(line) } else { Cow::Owned(colors::colored(line, pos)) }
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        if self.color { Cow::Owned(format!("\x1b[1m{prompt}\x1b[0m")) } else { Cow::Borrowed(prompt) }
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.color
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let incomplete = is_incomplete(context.input());
        Ok(if incomplete { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Repl {
    /// Talks with a person at a terminal.
    pub(super) fn converse(&mut self, options: &Options) -> Result<(), Failure> {
        let failed = |why: ReadlineError| Failure::usage(format!("the terminal cannot be used: {why}"));
        let color = self.output.paints_input(options);
        let cleared = Arc::new(AtomicBool::new(false));
        let mut editor = editor(self.interpreter.clone(), color, cleared.clone()).map_err(failed)?;
        let file = history::path();
        if let Some(file) = &file {
            // A history that cannot be read is one that does not exist yet.
            let _ = editor.load_history(file);
        }
        self.greet();
        let mut interrupted = false;
        loop {
            match editor.readline(PROMPT) {
                Ok(text) => {
                    interrupted = false;
                    remember(&mut editor, file.as_ref(), &text);
                    if self.take(&text) == Flow::Quit {
                        return Ok(());
                    }
                }
                Err(ReadlineError::Interrupted) if cleared.swap(false, Ordering::Relaxed) => {
                    interrupted = true
                }
                Err(ReadlineError::Interrupted) if interrupted => return Ok(()),
                Err(ReadlineError::Interrupted) => {
                    interrupted = true;
                    self.output.note("Ctrl-C again, Ctrl-D or :quit ends");
                }
                Err(ReadlineError::Eof) => return Ok(()),
                Err(why) => return Err(failed(why)),
            }
        }
    }

    fn greet(&self) {
        self.output.note(&format!(
            "Minima {}. :help lists the commands, Tab completes, Ctrl-D ends.",
            env!("CARGO_PKG_VERSION")
        ));
    }
}

fn editor(
    interpreter: Rc<RefCell<Interpreter>>,
    color: bool,
    cleared: Arc<AtomicBool>,
) -> rustyline::Result<Editor<Assistant, FileHistory>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .completion_prompt_limit(200)
        .color_mode(if color { ColorMode::Forced } else { ColorMode::Disabled })
        .indent_size(2)
        .tab_stop(2)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_max_history_size(REMEMBERED)?;
    editor.set_helper(Some(Assistant { interpreter, color }));
    // Alt-Enter begins a new line in an entry that could end there.
    editor.bind_sequence(Event::from(KeyEvent(KeyCode::Enter, Modifiers::ALT)), Cmd::Newline);
    let watch = EventHandler::Conditional(Box::new(Cleared(cleared)));
    editor.bind_sequence(Event::from(KeyEvent(KeyCode::Char('C'), Modifiers::CTRL)), watch);
    Ok(editor)
}

/// Notes on Ctrl-C whether there was anything to clear.
struct Cleared(Arc<AtomicBool>);

impl ConditionalEventHandler for Cleared {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        self.0.store(!context.line().is_empty(), Ordering::Relaxed);
        None
    }
}

/// Keeps an entry for later sessions. Where that is not possible there is none.
fn remember(editor: &mut Editor<Assistant, FileHistory>, file: Option<&PathBuf>, text: &str) {
    if text.trim().is_empty() || !editor.add_history_entry(text).unwrap_or(false) {
        return;
    }
    let Some(file) = file else { return };
    if let Some(folder) = file.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    let _ = editor.append_history(file);
}
