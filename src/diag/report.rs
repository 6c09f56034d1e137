//! What a report says, apart from how it is drawn.

use super::Span;

/// How grave a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program runs, but probably not as meant.
    Warning,
    /// The program cannot run.
    Error,
}

/// A second place that belongs to the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be said of it.
    pub text: String,
}

/// A suggestion that can be pasted: the text to put in place of the span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced.
    pub span: Span,
    /// What it is replaced with.
    pub text: String,
}

/// One message to the user about their program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How grave it is.
    pub severity: Severity,
    /// The stable code, such as `E0203`.
    pub code: &'static str,
    /// The main place.
    pub span: Span,
    /// One sentence.
    pub message: String,
    /// Further places, each with its text.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Vec<String>,
    /// Facts worth knowing.
    pub notes: Vec<String>,
    /// The suggestion as an edit.
    pub fix: Option<Fix>,
}

impl Report {
    /// An error at `span`.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Report {
        Report::new(Severity::Error, code, span, message.into())
    }

    /// A warning at `span`.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Report {
        Report::new(Severity::Warning, code, span, message.into())
    }

    fn new(severity: Severity, code: &'static str, span: Span, message: String) -> Report {
        Report {
            severity,
            code,
            span,
            message,
            labels: Vec::new(),
            help: Vec::new(),
            notes: Vec::new(),
            fix: None,
        }
    }

    /// Adds a second place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Report {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Report {
        self.help.push(text.into());
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Report {
        self.notes.push(text.into());
        self
    }

    /// Adds the suggestion as an edit.
    #[must_use]
    pub fn fix(mut self, span: Span, text: impl Into<String>) -> Report {
        self.fix = Some(Fix { span, text: text.into() });
        self
    }

    /// Adds "did you mean" when a candidate is near enough to `name`.
    #[must_use]
    pub fn did_you_mean<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Report {
        let span = self.span;
        match super::nearest(name, candidates) {
            Some(near) => self.help(format!("did you mean `{near}`?")).fix(span, near),
            None => self,
        }
    }

    /// Whether the report stops the program.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
