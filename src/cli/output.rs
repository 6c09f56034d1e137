//! The one way to the terminal: results to standard output, all else to standard error.

use std::io::{self, IsTerminal, Write};

use super::args::{ColorWhen, Options};
use super::exit;
use crate::diag::{Report, Sources, cause, printable, render};
use crate::picture::{Figure, terminal};

/// The most diagnostics that are shown.
pub const SHOWN: usize = 20;

/// How to speak to the user.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON report takes the place of all text.
    pub json: bool,
    /// Only errors are told on standard error.
    pub quiet: bool,
    color: bool,
    /// Whether standard error is a terminal that can erase a line.
    terminal: bool,
    /// Whether pictures on standard output have colors.
    picture_color: bool,
}

/// The width of a picture where there is no terminal.
const PIPED: usize = 80;

impl Output {
    /// As the options and the terminal say.
    pub fn new(options: &Options) -> Output {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        let terminal = io::stderr().is_terminal() && !dumb;
        let color = |terminal: bool| match options.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => wanted() && terminal,
        };
        let (json, quiet) = (options.json, options.quiet);
        let picture_color = color(io::stdout().is_terminal());
        Output { json, quiet, color: color(io::stderr().is_terminal()), picture_color, terminal }
    }

    /// Whether a line that is drawn again and again can be shown.
    pub fn progress(self) -> bool {
        self.terminal
    }

    /// Whether what is typed at the terminal is shown in color.
    pub fn paints_input(self, options: &Options) -> bool {
        self.color || options.color == ColorWhen::Auto && !io::stderr().is_terminal() && wanted()
    }

    /// A result, as one or more lines. Nothing in JSON mode, where the report holds it.
    pub fn result(self, text: &str) {
        if !self.json {
            write_result(&printable(text));
        }
    }

    /// A picture, in the letters of the terminal. Nothing in JSON mode, where the report tells of it.
    pub fn picture(self, figure: &Figure) {
        if self.json {
            return;
        }
        let width = width().unwrap_or(PIPED);
        // What it says of itself has been made printable; what is left are its colors.
        write_result(&terminal(figure, width, self.picture_color));
    }

    /// A text as it is, without a line end of its own.
    pub fn text(self, text: &str) {
        if !self.json {
            write_out(text);
        }
    }

    /// The JSON report.
    pub fn report(self, report: &serde_json::Value) {
        // What a terminal could take as a command stands only inside of texts, where JSON has
        // another spelling for it.
        let spelled = |letter: char| match letter {
            '\n' => "\n".to_string(),
            letter if printable(letter.encode_utf8(&mut [0; 4])).chars().count() == 1 => letter.to_string(),
            letter => format!("\\u{:04x}", u32::from(letter)),
        };
        write_result(&format!("{report:#}").chars().map(spelled).collect::<String>());
    }

    /// A line about how the run goes.
    pub fn note(self, text: &str) {
        if !self.json && !self.quiet {
            write_error(&printable(text));
        }
    }

    /// Something that was asked for beside the results.
    pub fn asked(self, text: &str) {
        if !self.json {
            write_error(&printable(text));
        }
    }

    /// A sentence about something that went wrong outside any program.
    pub fn error(self, text: &str) {
        if !self.json {
            write_error(&format!("error: {}", printable(text)));
        }
    }

    /// Reports in the order of their places; at most [`SHOWN`].
    pub fn reports(self, reports: &[Report], sources: &Sources) {
        if self.json {
            return;
        }
        let mut reports: Vec<&Report> =
            reports.iter().filter(|report| report.is_error() || !self.quiet).collect();
        reports.sort_by_key(|report| (report.span.file, report.span.start));
        for report in reports.iter().take(SHOWN) {
            write_error(render(report, sources, self.color).trim_end());
        }
        if let Some(more) = reports.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            write_error(&format!("and {more} more"));
        }
    }
}

/// How many letters a line of the terminal has that results go to, if they go to one.
pub fn width() -> Option<usize> {
    columns(terminal_size::terminal_size_of(io::stdout()))
}

/// How many letters a line of a terminal of this size has; some terminals say 0, which tells nothing.
pub fn columns(size: Option<(terminal_size::Width, terminal_size::Height)>) -> Option<usize> {
    size.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0)
}

/// Whether neither the user nor the terminal refuses colors.
fn wanted() -> bool {
    let unset = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
    unset("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Writes to standard output at once, so that what was printed is there whatever comes. Output
/// that nobody can take ends the process: quietly if the reader has gone.
fn write_result(text: &str) {
    write_out(&format!("{text}\n"));
}

/// As [`write_result`], without a line end.
fn write_out(text: &str) {
    let mut out = io::stdout().lock();
    let done = write!(out, "{text}").and_then(|()| out.flush());
    if let Err(why) = done {
        drop(out);
        if why.kind() != io::ErrorKind::BrokenPipe {
            write_error(&format!("error: cannot write the output: {}", cause(&why)));
        }
        std::process::exit(i32::from(exit::DATA));
    }
}

/// Writes to standard error. If that fails there is nobody left to tell.
fn write_error(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}
