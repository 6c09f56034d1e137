//! Draws reports for a terminal or a log, with ariadne.

use ariadne::{CharSet, Color, Config, IndexType, Label, ReportKind};

use super::{FileId, Report, Severity, Sources, Span};

/// Draws a report. Control characters and bidirectional marks of the source are replaced, so
/// that no program can send commands to the terminal. `color` switches ANSI colours on.
pub fn render(report: &Report, sources: &Sources, color: bool) -> String {
    // Of long lines only the part around the place is shown, without colours.
    let spans = || report.labels.iter().map(|label| label.span).chain([report.span]);
    if spans().any(|span| line_width(span, sources) > WIDTH) {
        let (_, column) = sources.position(report.span);
        return part(&draw(report, sources, false), column.saturating_sub(WIDTH / 3));
    }
    draw(report, sources, color)
}

/// The most columns of an excerpt.
const WIDTH: usize = 200;

/// The length of the line at the start of a span.
fn line_width(span: Span, sources: &Sources) -> usize {
    let text = sources.get(span.file).1;
    let start = clip(span, sources).start;
    let before = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let after = text[start..].find('\n').map_or(text.len(), |at| start + at);
    after - before
}

/// The columns of an excerpt from the given one on; what is not of the source stays as it is.
fn part(drawn: &str, from: usize) -> String {
    let mut out = String::new();
    for line in drawn.lines() {
        let margin = line.find('|').map_or(0, |at| at + 2);
        let head = line.get(..margin).unwrap_or(line);
        let rest = line.get(margin..).unwrap_or("");
        let own = head.trim_start().starts_with(|c: char| c == '|' || c.is_ascii_digit());
        let said = rest.starts_with("Help") || rest.starts_with("Note");
        let from = if own && !said { from } else { 0 };
        out.push_str(head);
        out.extend(rest.chars().skip(from).take(WIDTH));
        out.push('\n');
    }
    out
}

fn draw(report: &Report, sources: &Sources, color: bool) -> String {
    let name = |file: FileId| printable(sources.get(file).0);
    let place = |span: Span| (name(span.file), clip(span, sources));
    let (kind, paint) = match report.severity {
        Severity::Error => (ReportKind::Error, Color::Red),
        Severity::Warning => (ReportKind::Warning, Color::Yellow),
    };
    let config = Config::default()
        .with_color(color)
        .with_char_set(if color { CharSet::Unicode } else { CharSet::Ascii })
        .with_index_type(IndexType::Byte)
        .with_compact(false);
    let mut built = ariadne::Report::build(kind, place(report.span))
        .with_config(config)
        .with_code(report.code)
        .with_message(printable(&report.message));
    let main = report.span;
    let overlaps = |other: Span| other.file == main.file && other.start < main.end && main.start < other.end;
    if !report.labels.iter().any(|label| label.span == main || overlaps(label.span)) {
        built = built.with_label(Label::new(place(report.span)).with_message("here").with_color(paint));
    }
    for label in &report.labels {
        built = built
            .with_label(Label::new(place(label.span)).with_message(printable(&label.text)).with_color(paint));
    }
    for help in &report.help {
        built = built.with_help(printable(help));
    }
    for note in &report.notes {
        built = built.with_note(printable(note));
    }
    let mut files: Vec<FileId> = vec![report.span.file];
    files.extend(report.labels.iter().map(|label| label.span.file));
    files.sort();
    files.dedup();
    let texts = files.iter().map(|file| (name(*file), safe_text(sources.get(*file).1)));
    let cache = ariadne::sources(texts.collect::<Vec<_>>());
    let mut out = Vec::new();
    match built.finish().write(cache, &mut out) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => format!("{}: {}\n", report.code, printable(&report.message)),
    }
}

/// Keeps a span inside its file and on character boundaries.
fn clip(span: Span, sources: &Sources) -> std::ops::Range<usize> {
    let text = sources.get(span.file).1;
    let mut start = (span.start as usize).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (span.end as usize).clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// The text with everything a terminal could take as a command replaced by one visible
/// character per byte, so that spans still fit.
fn safe_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter == '\n' || letter == '\t' || !is_unsafe(letter) {
            safe.push(letter);
        } else {
            (0..letter.len_utf8()).for_each(|_| safe.push('?'));
        }
    }
    safe
}

/// A message with control characters and bidirectional marks made visible.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let keep = letter == '\n' || !is_unsafe(letter);
            let shown = if keep { letter.to_string() } else { letter.escape_unicode().to_string() };
            shown.chars().collect::<Vec<_>>()
        })
        .collect()
}

fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
