//! A person at a terminal: types, and reads what appears.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};

/// Longer than anything here may take; a test that waits so long fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A REPL behind a pseudo-terminal.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<(Mutex<Vec<u8>>, Condvar)>,
    /// How much of the screen was read.
    read: usize,
}

impl Terminal {
    /// Starts `minima repl` with arguments, in a folder, with its history in a file there.
    pub fn start(arguments: &[&str], folder: &std::path::Path) -> Terminal {
        Terminal::of_width(200, arguments, folder)
    }

    /// As [`Terminal::start`], with so many letters in a line.
    pub fn of_width(columns: u16, arguments: &[&str], folder: &std::path::Path) -> Terminal {
        let size = Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(&size, None).expect("the system has pseudo-terminals");
        let end = || Stdio::from(pair.slave.try_clone().expect("it can be shared"));
        let child = Command::new(env!("CARGO_BIN_EXE_minima"))
            .arg("repl")
            .args(arguments)
            .current_dir(folder)
            .env("TERM", "xterm")
            .env("MINIMA_HISTORY", folder.join("history"))
            .env_remove("RUST_BACKTRACE")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("the program starts");
        let screen: Arc<(Mutex<Vec<u8>>, Condvar)> = Arc::default();
        let keyboard = File::from(pair.master);
        let mut eyes = keyboard.try_clone().expect("it can be shared");
        let shown = screen.clone();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(count @ 1..) = eyes.read(&mut part) {
                shown.0.lock().expect("nobody panics here").extend(&part[..count]);
                shown.1.notify_all();
            }
        });
        let mut terminal = Terminal { child, keyboard, screen, read: 0 };
        terminal.sees("> ");
        terminal
    }

    /// Presses keys.
    pub fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal is open");
    }

    /// Types an entry and waits for a line that is just so, then for the next prompt.
    pub fn asks(&mut self, entry: &str, answer: &str) {
        self.types(&format!("{entry}\r"));
        self.sees(answer);
        self.sees("> ");
    }

    /// Waits for a line that is just so, after what was seen before.
    pub fn sees(&mut self, line: &str) {
        self.sees_where(line, |shown| shown.trim_end() == line.trim_end());
    }

    /// Waits for a line that begins so.
    pub fn sees_beginning(&mut self, line: &str) {
        self.sees_where(line, |shown| shown.starts_with(line));
    }

    /// Waits for a line that fits.
    pub fn sees_where(&mut self, wanted: &str, fits: impl Fn(&str) -> bool) {
        let began = Instant::now();
        let (bytes, news) = &*self.screen;
        let mut bytes = bytes.lock().expect("nobody panics here");
        loop {
            let mut at = self.read;
            for line in bytes[self.read..].split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
                at += line.len();
                if fits(plain(&String::from_utf8_lossy(line)).trim_end_matches('\n')) {
                    self.read = at;
                    return;
                }
            }
            let text = plain(&String::from_utf8_lossy(&bytes[self.read..]));
            assert!(began.elapsed() < PATIENCE, "no line `{wanted}` in\n{text}");
            bytes = news.wait_timeout(bytes, Duration::from_millis(100)).expect("nobody panics here").0;
        }
    }

    /// Everything shown so far, without control sequences.
    pub fn shown(&self) -> String {
        plain(&String::from_utf8_lossy(&self.screen.0.lock().expect("nobody panics here")))
    }

    /// Whether anything was colored.
    pub fn is_colored(&self) -> bool {
        let (bytes, _) = &*self.screen;
        String::from_utf8_lossy(&bytes.lock().expect("nobody panics here")).contains("\x1b[35m")
    }

    /// Sends the signal that Ctrl-C is to a program that runs.
    pub fn interrupts(&self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().expect("kill starts");
        assert!(sent.success());
    }

    /// Waits for the end and gives the exit code.
    pub fn ends(mut self) -> i32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status.code().expect("no signal ends it");
            }
            assert!(began.elapsed() < PATIENCE, "it does not end:\n{}", self.shown());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text without control sequences, with a line for each time that a line was drawn.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\x1b' => {
                let mut rest = letters.by_ref().skip_while(|letter| *letter == '[' || *letter == '?');
                // The rest of a sequence: numbers, then a letter.
                rest.find(|letter| !letter.is_ascii_digit() && *letter != ';');
            }
            '\r' => out.push('\n'),
            letter => out.push(letter),
        }
    }
    out
}
