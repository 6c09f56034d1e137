//! The line at the bottom of a terminal that shows how a solve goes, redrawn while it runs.
//!
//! A thread draws, so that the seconds go on where a step is long. It begins with the first solve.

use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::log::span_of_time;
use super::output::Output;
use super::output::columns;
use crate::diag::printable;

/// Solves that are done sooner show no line.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(100);
/// The width of a terminal that does not tell.
const WIDTH: usize = 80;

/// The line.
pub struct Live {
    shared: Arc<(Mutex<Line>, Condvar)>,
}

#[derive(Default)]
struct Line {
    /// The name of the solve and when it began; `None` between solves.
    solve: Option<(String, Instant)>,
    /// What it said last, as it follows the seconds.
    text: String,
    /// Whether it stands on the terminal.
    shown: bool,
    over: bool,
}

impl Live {
    /// A line that is not shown yet. Where the system gives no thread there is none.
    pub fn new() -> Live {
        let shared: Arc<(Mutex<Line>, Condvar)> = Arc::default();
        let own = shared.clone();
        drop(thread::Builder::new().spawn(move || draw(&own)));
        Live { shared }
    }

    /// A line that counts what is done, where standard error is a terminal that can draw it again.
    pub fn counting(name: &str, output: Output) -> Option<Live> {
        let live = (output.progress() && !output.quiet && !output.json).then(Live::new)?;
        live.begin(name.to_string());
        live.say(" beginning".into());
        Some(live)
    }

    /// A solve begins.
    pub fn begin(&self, name: String) {
        let mut line = self.line();
        line.solve = Some((name, Instant::now()));
        line.text = " compiling".into();
        self.shared.1.notify_one();
    }

    /// What it says now.
    pub fn say(&self, text: String) {
        self.line().text = text;
    }

    /// The solve has ended: the line goes. Says whether it was there.
    pub fn end(&self) -> bool {
        let mut line = self.line();
        line.solve = None;
        let shown = std::mem::take(&mut line.shown);
        if shown {
            erase();
        }
        shown
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end();
        self.line().over = true;
        self.shared.1.notify_one();
    }
}

fn draw((line, changed): &(Mutex<Line>, Condvar)) {
    let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
    while !line.over {
        let Some((name, since)) = &line.solve else {
            line = changed.wait(line).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let elapsed = since.elapsed();
        if elapsed >= PATIENCE {
            let text = format!("{name}  {} {}", span_of_time(elapsed.as_secs_f64()), line.text);
            let text = printable(&text);
            line.shown = true;
            show(&text);
        }
        let waited = changed.wait_timeout(line, INTERVAL);
        line = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// The line, cut to the terminal's width.
fn show(text: &str) {
    let width = columns(terminal_size::terminal_size_of(std::io::stderr())).unwrap_or(WIDTH);
    // Room is left for the `^C` of an interrupt.
    let cut: String = text.chars().take(width.saturating_sub(3)).collect();
    drop(write!(std::io::stderr().lock(), "\r\x1b[2K{cut}"));
}

fn erase() {
    drop(write!(std::io::stderr().lock(), "\r\x1b[2K"));
}
