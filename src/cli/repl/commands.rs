//! The commands of the REPL: `:type`, `:grad` and the others.

use std::path::Path;
use std::time::Duration;

use super::words::{word, words};
use super::{Flow, Repl};
use crate::cli::{exit, ir};
use crate::diag::{Report, cause, nearest};
use crate::run::{Interpreter, Timed};
use crate::site::error_pages;
use crate::syntax::format;

/// A command, for `:help`.
pub struct Command {
    /// What it is called.
    pub name: &'static str,
    /// What it takes.
    takes: &'static str,
    /// What it does.
    about: &'static str,
}

/// All commands, in the order of `:help`.
pub const COMMANDS: &[Command] = &[
    Command { name: "help", takes: "[NAME]", about: "what a name, word or error code means, or this list" },
    Command { name: "type", takes: "EXPR", about: "type and shape; nothing is run" },
    Command { name: "grad", takes: "NAME", about: "the derivative of a function or objective, as a program" },
    Command { name: "ir", takes: "EXPR", about: "the intermediate code, after all passes" },
    Command { name: "time", takes: "EXPR", about: "time to compile and to run" },
    Command { name: "plot", takes: "EXPR", about: "the same as the statement `plot`" },
    Command { name: "load", takes: "FILE", about: "take a program as an entry" },
    Command { name: "save", takes: "FILE", about: "write the entries so far as a program" },
    Command { name: "reset", takes: "", about: "forget all entries" },
    Command { name: "quit", takes: "", about: "end" },
];

impl Repl {
    /// Does what a command says; the colon is left out.
    pub(super) fn command(&mut self, text: &str) -> Flow {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
            self.unknown(name);
            return Flow::Go;
        };
        if rest.is_empty() && !command.takes.is_empty() && !command.takes.starts_with('[') {
            self.usage(&format!("`:{name}` takes {}: {}", command.takes, command.about));
            return Flow::Go;
        }
        if !rest.is_empty() && command.takes.is_empty() {
            self.usage(&format!("`:{name}` takes no argument: {}", command.about));
            return Flow::Go;
        }
        match name {
            "help" if rest.is_empty() => self.output.result(&list()),
            "help" => self.help(rest),
            "type" => self.ask(|known| known.type_of(rest)),
            "grad" => self.grad(rest),
            "ir" => self.ir(rest),
            "time" => self.ask(|known| known.timed(rest).map(|timed| times(&timed))),
            "plot" => self.enter(&format!("plot {rest}")),
            "load" => self.load_or_say(path(rest)),
            "save" => self.save(path(rest)),
            "reset" => self.interpreter.borrow_mut().reset(),
            _ => return Flow::Quit,
        }
        Flow::Go
    }

    fn unknown(&mut self, name: &str) {
        let near = nearest(name, COMMANDS.iter().map(|command| command.name));
        self.usage(&match near {
            Some(near) => format!("there is no command `:{name}`; did you mean `:{near}`?"),
            None => format!("there is no command `:{name}`; `:help` lists them"),
        });
    }

    fn usage(&mut self, message: &str) {
        self.output.error(message);
        self.went_wrong(exit::USAGE);
    }

    /// Prints the answer to a question about the session.
    fn ask(&mut self, question: impl FnOnce(&mut Interpreter) -> Result<String, Vec<Report>>) {
        match self.guarded(question) {
            Some(Ok(answer)) => self.output.result(answer.trim_end()),
            Some(Err(reports)) => self.say(&reports),
            None => self.went_wrong(exit::INTERNAL),
        }
    }

    fn grad(&mut self, name: &str) {
        match self.guarded(|known| known.derivative(name)) {
            Some(Ok(text)) => self.output.result(text.trim_end()),
            Some(Err(reports)) if reports.is_empty() => {
                let objective = self.interpreter.borrow().objective_of(name);
                if let Some(own) = objective {
                    let message = format!(
                        "`{name}` is the objective `{own}` with its data; `:grad {own}` gives the derivative"
                    );
                    return self.usage(&message);
                }
                let declared = self.interpreter.borrow().differentiable();
                let near = nearest(name, declared.iter().map(|name| &**name));
                let help = match near {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None if declared.is_empty() => "; declare one with `fn` or `objective`".to_string(),
                    None => format!("; there are {}", declared.join(", ")),
                };
                self.usage(&format!("no entry declares a function or objective `{name}`{help}"));
            }
            Some(Err(reports)) => self.say(&reports),
            None => self.went_wrong(exit::INTERNAL),
        }
    }

    fn say(&mut self, reports: &[Report]) {
        self.output.reports(reports, &self.interpreter.borrow().session.sources);
        self.went_wrong(exit::of_reports(reports, self.settings.memory_limit.given));
    }

    fn help(&mut self, name: &str) {
        if let Some(command) = COMMANDS.iter().find(|command| Some(command.name) == name.strip_prefix(':')) {
            self.output.result(&format!(":{} {}\n{}", command.name, command.takes, command.about));
            return;
        }
        let mut known = self.interpreter.borrow_mut();
        if let Some(text) = known.help(name) {
            self.output.result(&text);
            return;
        }
        let words = words().map(std::sync::Arc::from).collect();
        let names = [known.own_names(), known.library_names(), words].concat();
        drop(known);
        if let Some(text) = word(name) {
            return self.output.result(&text);
        }
        let page = error_pages().iter().find(|(code, _)| code.eq_ignore_ascii_case(name));
        if let Some((_, page)) = page {
            return self.output.result(page.trim_end());
        }
        self.usage(&match nearest(name, names.iter().map(|name| &**name)) {
            Some(near) => format!("nothing is called `{name}`; did you mean `{near}`?"),
            None => format!("nothing is called `{name}`"),
        });
    }

    fn ir(&mut self, text: &str) {
        let shown = self.guarded(|known| {
            let planned = known.planned(text)?;
            let shown = planned.iter().map(|planned| ir::after_all(&mut known.session, planned));
            Ok::<_, Vec<Report>>(shown.collect::<Vec<_>>())
        });
        match shown {
            Some(Ok(shown)) if shown.is_empty() => self.output.result("the value is known; no code is run"),
            Some(Ok(shown)) => {
                for code in shown {
                    match code {
                        Ok(text) => self.output.result(&text),
                        Err(failure) => self.usage(&failure.message),
                    }
                }
            }
            Some(Err(reports)) => self.say(&reports),
            None => self.went_wrong(exit::INTERNAL),
        }
    }

    fn load_or_say(&mut self, path: &str) {
        if let Err(failure) = self.load(Path::new(path)) {
            self.usage(&failure.message);
        }
    }

    fn save(&mut self, path: &str) {
        let text = self.interpreter.borrow().program();
        // What its form cannot take is written as it was entered.
        let text = format(&text).unwrap_or(text);
        if text.is_empty() {
            return self.usage("there is nothing to save yet");
        }
        if let Err(why) = std::fs::write(path, &text) {
            self.output.error(&format!("cannot write `{path}`: {}", cause(&why)));
            return self.went_wrong(exit::DATA);
        }
        self.output.note(&format!("note: wrote {path}, {} lines", text.lines().count()));
        let folder = Path::new(path).parent().unwrap_or(Path::new("")).to_path_buf();
        let found = self.guarded(|known| known.check(path, &text, folder)).unwrap_or_default();
        if found.iter().any(Report::is_error) {
            self.output.reports(&found, &self.interpreter.borrow().session.sources);
            self.output.note(
                "note: as a file it is wrong, since names there mean the same everywhere; mend it by hand",
            );
        }
    }
}

/// A path as it was written, perhaps in quotes.
fn path(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// All commands with a line about each.
fn list() -> String {
    let shown = |command: &Command| format!(":{} {}", command.name, command.takes).trim_end().to_string();
    let width = COMMANDS.iter().map(|command| shown(command).len()).max().unwrap_or(0);
    let lines: Vec<String> =
        COMMANDS.iter().map(|command| format!("{:width$}  {}", shown(command), command.about)).collect();
    format!(
        "{}\nAll else is an entry of the language; docs/repl.md has more.\n\
         Tab completes, Alt-Enter begins a line, Ctrl-C stops a solve, Ctrl-D ends.",
        lines.join("\n")
    )
}

fn times(timed: &Timed) -> String {
    if timed.run.is_zero() {
        return format!(
            "{}\ncompile  {}\nrun      nothing: the compiler knows the value",
            timed.value,
            duration(timed.compile)
        );
    }
    let how = match (timed.runs, timed.native) {
        (1, true) => String::new(),
        (runs, true) => format!("  (median of {runs} runs)"),
        (1, false) => "  (interpreted)".to_string(),
        (runs, false) => format!("  (median of {runs} runs, interpreted: it is short)"),
    };
    format!("{}\ncompile  {}\nrun      {}{how}", timed.value, duration(timed.compile), duration(timed.run))
}

/// `12.3 µs`
fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (scale, unit) = match seconds {
        s if s < 1e-6 => (1e9, "ns"),
        s if s < 1e-3 => (1e6, "µs"),
        s if s < 1.0 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    let number = seconds * scale;
    let decimals = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    format!("{number:.decimals$} {unit}")
}
