//! A word that is no verb: what was probably meant.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use crate::diag::{nearest, printable};

/// What to say where the first word is no verb; nothing if the error is another one.
pub fn no_verb(error: &Error, arguments: &[OsString], command: &Command) -> Option<Error> {
    let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(word))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
    else {
        return None;
    };
    let verbs: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    let rest = arguments.iter().skip_while(|argument| **argument != **word).skip(1);
    let rest: String = rest.map(|argument| format!(" {}", quoted(&argument.to_string_lossy()))).collect();
    let advice = match (is_program(word), meant(word, &verbs)) {
        (true, _) => format!("; did you mean `minima run {}{rest}`?", quoted(word)),
        (false, Some(verb)) => format!("; did you mean `minima {verb}{rest}`?"),
        (false, None) => "; `minima help` lists the verbs".to_string(),
    };
    let said = format!("`{word}` is no verb{advice}");
    Some(Error::raw(ErrorKind::InvalidSubcommand, printable(&said) + "\n"))
}

/// Whether somebody who writes this in the place of a verb means a program.
fn is_program(word: &str) -> bool {
    word == "-" || word.ends_with(".opt") || Path::new(word).is_file()
}

/// The verb that a word may be: the nearest, or the only one that has its letters in this order.
fn meant<'v>(word: &str, verbs: &[&'v str]) -> Option<&'v str> {
    if let Some(near) = nearest(word, verbs.iter().copied()) {
        return verbs.iter().copied().find(|verb| **verb == *near);
    }
    let mut found = verbs.iter().copied().filter(|verb| shortens(word, verb));
    found.next().filter(|_| found.next().is_none())
}

/// Whether a word is the verb with letters left out: its first one and at least two are there.
fn shortens(word: &str, verb: &str) -> bool {
    let mut letters = verb.chars();
    word.chars().count() > 1
        && word.chars().next() == verb.chars().next()
        && word.chars().all(|wanted| letters.any(|letter| letter == wanted))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./=,:+@%~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::{meant, quoted};

    #[test]
    fn slips_and_short_forms_are_verbs() {
        let verbs = ["run", "check", "compare", "completions", "test", "ir", "repl"];
        for (word, verb) in [
            ("rn", Some("run")),
            ("chk", Some("check")),
            ("chekc", Some("check")),
            ("comp", None),
            ("t", None),
            ("rum", Some("run")),
            ("bla", None),
            ("", None),
        ] {
            assert_eq!(meant(word, &verbs), verb, "{word}");
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(
            (quoted("a-1.opt").as_str(), quoted("my file.opt").as_str()),
            ("a-1.opt", "'my file.opt'")
        );
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
