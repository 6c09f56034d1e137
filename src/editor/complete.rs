//! What could stand at a place.

use std::sync::Arc;

use super::document::{Document, member};
use super::hover;
use super::names::{FIGURES, GIVEN, Kind};
use super::scan::{Piece, Token, call_around, scan};
use super::shelf::{Shelf, Shelved};
use super::signature;
use super::text::{Shift, word_at};
use crate::lower::{Denoted, Sort};
use crate::syntax::{access, is_reserved, quoted};

/// What kind of thing is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// A name with a value.
    Variable,
    /// A function.
    Function,
    /// An optimizer.
    Optimizer,
    /// An objective.
    Objective,
    /// A distribution or set.
    Distribution,
    /// A type.
    Type,
    /// A named number.
    Constant,
    /// What stands behind a dot.
    Field,
    /// A named argument.
    Argument,
    /// A word of the language.
    Keyword,
}

/// Something that could stand here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What is shown, and written unless something else is said.
    pub label: String,
    /// What is written in the place of the dot before and the word, where the label is no name.
    pub instead: Option<String>,
    /// What kind of thing it is.
    pub offer: Offer,
    /// Its type, or what it is.
    pub detail: String,
    /// How near it is: lower stands first.
    pub rank: u8,
    /// Whether the library has a page about it.
    pub library: bool,
}

/// All that could stand at a place, and the bytes that it would replace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// The items.
    pub items: Vec<Item>,
    /// First byte and end of the word there.
    pub at: (usize, usize),
}

/// What could stand at a place. `whole` is the last text without errors of syntax, if this one has some.
pub fn complete(document: &Document, whole: Option<&Document>, shelf: &Shelf, at: usize) -> Completion {
    let text = &*document.text;
    let (start, end) = word_at(text, at);
    let tokens = scan(&text[..start]);
    let place = Place { document, whole, shelf, at: start, tokens: &tokens };
    let number = text[start..at].starts_with(|c: char| c.is_ascii_digit());
    if let Some(open) = place.open_text() {
        return place.columns(open);
    }
    let items = if place.is_silent() || number { Vec::new() } else { place.items() };
    Completion { items, at: (start, end) }
}

struct Place<'a> {
    document: &'a Document,
    whole: Option<&'a Document>,
    shelf: &'a Shelf,
    at: usize,
    tokens: &'a [Token<'a>],
}

/// Clauses of a solve.
const CLAUSES: [&str; 7] = ["over", "subject", "from", "using", "until", "with", "given"];
/// Words before which a statement ends.
const STARTS: [&str; 19] = [
    "let",
    "var",
    "for",
    "if",
    "else",
    "print",
    "save",
    "assert",
    "fn",
    "objective",
    "optimizer",
    "distribution",
    "set",
    "type",
    "test",
    "import",
    "input",
    "param",
    "report",
];
/// Words that a new name follows.
const NAMING: [&str; 14] = [
    "let",
    "var",
    "fn",
    "param",
    "objective",
    "optimizer",
    "distribution",
    "set",
    "type",
    "input",
    "state",
    "report",
    "each",
    "as",
];
const TOP: [&str; 19] = [
    "let",
    "var",
    "fn",
    "objective",
    "optimizer",
    "distribution",
    "type",
    "test",
    "import",
    "input",
    "precision",
    "for",
    "if",
    "print",
    "save",
    "assert",
    "solve",
    "minimize",
    "maximize",
];
const IN_OBJECTIVE: [&str; 6] = ["param", "let", "minimize", "maximize", "report", "fn"];
const IN_OPTIMIZER: [&str; 8] = ["state", "step", "let", "fn", "each", "otherwise", "answer", "report"];
const IN_STEP: [&str; 6] = ["let", "var", "for", "if", "stop", "report"];
const IN_BLOCK: [&str; 7] = ["let", "var", "for", "if", "print", "assert", "save"];
const OPERAND: [&str; 7] = ["if", "not", "true", "false", "solve", "minimize", "maximize"];
const AFTER_OPERAND: [&str; 14] =
    ["over", "using", "until", "from", "with", "for", "in", "if", "then", "else", "and", "or", "mod", "div"];
const TYPES: [&str; 5] = ["real", "int", "bool", "string", "optimizer"];
const SETTINGS: [(&str, &str); 4] = [
    ("batch", "the rows of a step are a minibatch of so many"),
    ("seed", "the seed of its draws"),
    ("trace", "a point is recorded every so many steps"),
    ("differentiate", "how derivatives go through it: `implicit`, `unroll`, `neumann(k)`"),
];
const VIEWS: [(&str, &str); 10] = [
    ("fresh", "on a minibatch drawn anew"),
    ("full", "on all data"),
    ("on", "on the rows of these numbers"),
    ("ids", "the rows it is on"),
    ("count", "how many rows there are in all"),
    ("batch_size", "how many rows a minibatch has"),
    ("each", "the value of every example"),
    ("residuals", "of equations and sums of squares"),
    ("outputs", "what the model gives for every example"),
    ("loss", "the loss of such outputs"),
];

impl Place<'_> {
    /// In comments and texts, and where a name is made, nothing is offered.
    fn is_silent(&self) -> bool {
        let Some(last) = self.tokens.last() else { return false };
        match last.piece {
            Piece::Comment => !self.document.text[last.start..self.at].contains('\n'),
            Piece::Text => last.end() >= self.at && (last.text.len() < 2 || !last.text.ends_with('"')),
            // `1.` may become a number.
            Piece::Number => last.end() == self.at,
            Piece::Word => {
                NAMING.contains(&last.text) && (is_reserved(last.text) || self.starts(self.tokens.len() - 1))
            }
            Piece::Sign => false,
        }
    }

    /// Whether a statement begins with a token.
    fn starts(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let before = at.checked_sub(1).map(|at| self.tokens[at]);
        before.is_none_or(|before| token.fresh || before.is("{") || before.is(";"))
    }

    /// Where the text begins that is open here.
    fn open_text(&self) -> Option<usize> {
        let last = self.tokens.last().filter(|last| last.piece == Piece::Text && last.end() >= self.at)?;
        let closed = last.text.len() > 1 && last.text.ends_with('"');
        (!closed).then_some(last.start)
    }

    /// Columns in quotes: `data["…"]`, `matrix(data, except = ["…"])`.
    fn columns(&self, open: usize) -> Completion {
        let text = &*self.document.text;
        let line = text[open + 1..].lines().next().unwrap_or("");
        let end = line.find('"').map_or(self.at.max(open + 1), |at| open + 1 + at);
        let end = end.max(word_at(text, self.at).1);
        let named = |member: Item| {
            let letters = quoted(&member.label);
            let label = letters[1..letters.len() - 1].to_string();
            Item { label, instead: None, ..member }
        };
        let table = self.table().unwrap_or_default();
        Completion { items: table.into_iter().map(named).collect(), at: (open + 1, end) }
    }

    /// The columns that the text that is the last token may name.
    fn table(&self) -> Option<Vec<Item>> {
        let mut at = self.tokens.len().checked_sub(2)?;
        if self.tokens[at].is("[") || self.tokens[at].is(",") {
            let open = opening(&self.tokens[..=at]).filter(|open| self.tokens[*open].is("["))?;
            at = open.checked_sub(1)?;
            if ends_operand(&self.tokens[at]) {
                return Some(self.members(open));
            }
        }
        let name = self.tokens[at.checked_sub(1)?];
        if !self.tokens[at].is("=") || !(name.is("except") || name.is("only")) {
            return None;
        }
        let (call, _) = call_around(&self.tokens[..at])?;
        let end = (call..at).find(|at| self.tokens[*at].is(","))?;
        Some(self.members(end))
    }

    fn items(&self) -> Vec<Item> {
        let last = self.tokens.last();
        if last.is_some_and(|last| last.is(".")) {
            return self.members(self.tokens.len() - 1);
        }
        if last.is_some_and(|last| last.is(":")) && self.bracket() != Some("[") {
            return self.types();
        }
        let fresh = self.document.text[last.map_or(0, Token::end)..self.at].contains('\n');
        let mut items = Vec::new();
        let operand = last.is_some_and(|last| ends_operand(last));
        let inside = matches!(self.bracket(), Some("(" | "["));
        if operand && (!fresh || inside) {
            return words(&AFTER_OPERAND, 0);
        }
        if last.is_none_or(|last| last.is("{") || last.is("}") || last.is(";")) || (fresh && !inside) {
            items.extend(words(self.statement_words(), 3));
            // A clause may go on on a line of its own.
            items.extend(words(&CLAUSES, 6).into_iter().filter(|_| operand && fresh));
        }
        match self.clause() {
            Some("using") if last.is_some_and(|last| last.is("using")) => return self.optimizers(),
            Some("until") => items.extend(self.figures()),
            Some("with") if last.is_some_and(|last| last.is("with") || last.is(",")) && !inside => {
                return settings();
            }
            _ => {}
        }
        items.extend(self.arguments());
        items.extend(self.names());
        items.extend(words(&OPERAND, 7));
        once(items)
    }

    /// The bracket that is open here.
    fn bracket(&self) -> Option<&str> {
        opening(self.tokens).map(|at| self.tokens[at].text)
    }

    /// The clause of a solve that is being written.
    fn clause(&self) -> Option<&str> {
        let mut depth = 0_usize;
        for token in self.tokens.iter().rev() {
            match token.text {
                ")" | "]" | "}" if token.piece == Piece::Sign => depth += 1,
                "(" | "[" if token.piece == Piece::Sign => depth = depth.saturating_sub(1),
                "{" if depth == 0 => return None,
                "{" => depth -= 1,
                word if token.piece == Piece::Word && depth == 0 => {
                    if CLAUSES.contains(&word) {
                        return Some(token.text);
                    }
                    if token.fresh && STARTS.contains(&word) {
                        return None;
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The words that a statement may begin with here.
    fn statement_words(&self) -> &'static [&'static str] {
        // The words before the open braces, innermost first.
        let (mut depth, mut around) = (0_usize, Vec::new());
        for at in (0..self.tokens.len()).rev() {
            match self.tokens[at].text {
                "}" => depth += 1,
                "{" if depth > 0 => depth -= 1,
                "{" => around.push(self.opens(at)),
                _ => {}
            }
        }
        match around.first() {
            None => &TOP,
            Some(&"objective") => &IN_OBJECTIVE,
            Some(&"optimizer" | &"each") => &IN_OPTIMIZER,
            Some(_) if around.contains(&"optimizer") => &IN_STEP,
            Some(_) => &IN_BLOCK,
        }
    }

    /// The word of the declaration or statement that a brace belongs to.
    fn opens(&self, brace: usize) -> &str {
        const WORDS: [&str; 11] = [
            "objective",
            "optimizer",
            "step",
            "each",
            "fn",
            "distribution",
            "set",
            "test",
            "for",
            "if",
            "else",
        ];
        let before = self.tokens[..brace].iter().rev();
        let line = before.take_while(|token| !token.is("{") && !token.is("}"));
        line.filter(|token| token.piece == Piece::Word)
            .find(|token| WORDS.contains(&token.text))
            .map_or("", |token| token.text)
    }

    /// This place in the present text, or in the last whole one.
    fn at_in(&self, document: &Document) -> u32 {
        let at = Shift::between(&self.document.text, &document.text).moved(self.at).unwrap_or(self.at);
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// What may stand behind the dot or bracket that is the token `dot`.
    fn members(&self, dot: usize) -> Vec<Item> {
        let Some(first) = chain_start(&self.tokens[..dot]) else { return Vec::new() };
        let chain = &self.tokens[first..dot];
        let (start, end) = (chain[0].start, chain[chain.len() - 1].end());
        let found = self.document.found(start, end);
        if let Some(what) = found.iter().find(|what| !what.fields.is_empty() || what.sort == Sort::Problem) {
            return behind(what);
        }
        for document in [Some(self.document), self.whole].into_iter().flatten() {
            let items = self.chained(document, chain);
            if !items.is_empty() {
                return items;
            }
        }
        Vec::new()
    }

    /// Behind a chain of names, from what the first one means.
    fn chained(&self, document: &Document, chain: &[Token<'_>]) -> Vec<Item> {
        let root = chain[0].text;
        let at = self.at_in(document);
        let Some(def) = document.names.lookup(root, at) else {
            let given = document.names.in_optimizer(at) && GIVEN.contains(&root) && chain.len() == 1;
            return if given && root == "f" { views() } else { Vec::new() };
        };
        let def = &document.names.defs[def];
        if def.kind == Kind::Module {
            let brought = def.params.iter().map(|k| &document.names.defs[*k]);
            return brought.map(|def| field(&def.name, hover::kind_word(def.kind))).collect();
        }
        let mut what = document.meaning(def).to_vec();
        for token in chain[1..].iter().filter(|token| token.piece == Piece::Word && behind_dot(chain, token))
        {
            let inner =
                what.iter().find_map(|what| member(what, token.text)).map(|member| member.what.clone());
            what = inner.into_iter().collect();
        }
        let mut items: Vec<Item> = what.iter().flat_map(behind).collect();
        if def.kind == Kind::HyperParameter && document.written(def.item).contains("optimizer") {
            items.push(field("step", "one step of it: the displacement"));
        }
        if def.kind == Kind::Binding && document.names.in_optimizer(at) {
            items.push(field("g", "its gradient"));
        }
        once(items)
    }

    fn types(&self) -> Vec<Item> {
        let mut items = words(&TYPES, 0);
        let own = self.document.names.defs.iter().filter(|def| def.kind == Kind::Type);
        items.extend(own.map(|def| item(&def.name, Offer::Type, "a type", 0)));
        items
    }

    fn optimizers(&self) -> Vec<Item> {
        let own =
            self.document.names.defs.iter().filter(|def| def.kind == Kind::Optimizer && def.known.end > 0);
        let mut items: Vec<Item> =
            own.map(|def| item(&def.name, Offer::Optimizer, "an optimizer of this program", 0)).collect();
        // A `let` may hold one.
        let at = u32::try_from(self.at).unwrap_or(u32::MAX);
        for k in self.document.names.known_at(at) {
            let def = &self.document.names.defs[k];
            if self.document.meaning(def).iter().any(|what| what.sort == Sort::Optimizer) {
                items.push(item(&def.name, Offer::Variable, "an optimizer", 0));
            }
        }
        for (name, line) in self.shelf.optimizers() {
            items.push(Item { library: true, ..item(name, Offer::Optimizer, line, 1) });
        }
        items
    }

    /// The figures of a stopping condition, and reports.
    fn figures(&self) -> Vec<Item> {
        let figures = FIGURES.iter().map(|name| item(name, Offer::Variable, "a figure of the solve", 0));
        let reports = self.document.names.defs.iter().filter(|def| def.kind == Kind::Report);
        let reports = reports.map(|def| item(&def.name, Offer::Variable, "a report", 0));
        figures.chain(reports).collect()
    }

    /// The parameters of the call around that are not given yet.
    fn arguments(&self) -> Vec<Item> {
        let Some((bracket, _)) = call_around(self.tokens) else { return Vec::new() };
        let last = self.tokens.last();
        if !last.is_some_and(|last| last.is("(") || last.is(",")) {
            return Vec::new();
        }
        let name = self.tokens[bracket - 1].text;
        let given =
            |name: &str| self.tokens[bracket..].windows(2).any(|pair| pair[0].is(name) && pair[1].is("="));
        let params = signature::parameters(self.document, self.whole, self.shelf, name, self.at);
        let free = params.into_iter().filter(|param| !param.name.contains('…') && !given(&param.name));
        free.map(|param| item(&format!("{} = ", param.name), Offer::Argument, &param.text, 0)).collect()
    }

    /// Names in scope, then those of the library.
    fn names(&self) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        for document in [Some(self.document), self.whole].into_iter().flatten() {
            let at = self.at_in(document);
            for k in document.names.known_at(at) {
                let def = &document.names.defs[k];
                let about = document.meaning(def).first().map(|what| what.about.clone());
                let detail = about.unwrap_or_else(|| hover::kind_word(def.kind).to_string());
                items.push(item(&def.name, offer(def.kind), &detail, 1));
            }
            if document.names.in_optimizer(at) {
                items
                    .extend(GIVEN.iter().map(|name| item(name, Offer::Variable, "given in an optimizer", 2)));
            }
        }
        let library = self.shelf.names().iter().map(|name| {
            let offer = match self.shelf.kind(name) {
                Shelved::Optimizer => Offer::Optimizer,
                Shelved::Distribution => Offer::Distribution,
                Shelved::Type => Offer::Type,
                Shelved::Constant => Offer::Constant,
                Shelved::Function => Offer::Function,
            };
            Item { library: true, ..item(name, offer, "", 5) }
        });
        items.extend(library);
        items
    }
}

/// The bracket that is open behind some tokens.
fn opening(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().rev().filter(|(_, token)| token.piece == Piece::Sign) {
        match token.text {
            ")" | "]" | "}" => depth += 1,
            "(" | "[" | "{" if depth == 0 => return Some(at),
            "(" | "[" | "{" => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Whether an operator could follow.
fn ends_operand(token: &Token<'_>) -> bool {
    match token.piece {
        Piece::Word => !is_reserved(token.text) || matches!(token.text, "true" | "false"),
        Piece::Number | Piece::Text => true,
        Piece::Sign => matches!(token.text, ")" | "]" | "'"),
        Piece::Comment => false,
    }
}

/// The first token of the chain `a.b[i].c(…)` that ends here.
fn chain_start(tokens: &[Token<'_>]) -> Option<usize> {
    let mut at = tokens.len();
    loop {
        at = at.checked_sub(1)?;
        while tokens[at].is(")") || tokens[at].is("]") {
            let mut depth = 0_usize;
            loop {
                match tokens[at].text {
                    ")" | "]" => depth += 1,
                    "(" | "[" => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                at = at.checked_sub(1)?;
            }
            at = at.checked_sub(1)?;
        }
        if tokens[at].piece != Piece::Word {
            return None;
        }
        match at.checked_sub(1) {
            Some(before) if tokens[before].is(".") => at = before,
            _ => return Some(at),
        }
    }
}

/// The first of those that are written equally.
fn once(mut items: Vec<Item>) -> Vec<Item> {
    let mut seen = std::collections::HashSet::new();
    items.retain(|item| seen.insert(item.label.clone()));
    items
}

fn behind_dot(chain: &[Token<'_>], token: &Token<'_>) -> bool {
    chain.windows(2).any(|pair| pair[0].is(".") && pair[1] == *token)
}

fn behind(what: &Denoted) -> Vec<Item> {
    if what.sort == Sort::Problem {
        return views();
    }
    what.fields.iter().map(|member| field(&member.name, &member.what.about)).collect()
}

fn views() -> Vec<Item> {
    VIEWS.iter().map(|(name, about)| field(name, about)).collect()
}

fn settings() -> Vec<Item> {
    let setting = |(name, about): &(&str, &str)| item(&format!("{name} = "), Offer::Argument, about, 0);
    SETTINGS.iter().map(setting).collect()
}

fn words(words: &[&str], rank: u8) -> Vec<Item> {
    words.iter().map(|word| item(word, Offer::Keyword, "", rank)).collect()
}

fn field(name: &str, about: &str) -> Item {
    let instead = Some(access(name)).filter(|text| !text.starts_with('.'));
    Item { instead, ..item(name, Offer::Field, about, 0) }
}

fn item(label: &str, offer: Offer, detail: &str, rank: u8) -> Item {
    Item { label: label.to_string(), instead: None, offer, detail: detail.to_string(), rank, library: false }
}

fn offer(kind: Kind) -> Offer {
    match kind {
        Kind::Function | Kind::Member => Offer::Function,
        Kind::Objective => Offer::Objective,
        Kind::Optimizer => Offer::Optimizer,
        Kind::Distribution | Kind::Set => Offer::Distribution,
        Kind::Type => Offer::Type,
        _ => Offer::Variable,
    }
}

/// The page about something that was offered, in Markdown.
pub fn page(shelf: &Shelf, name: &str) -> Option<(Arc<str>, String)> {
    let book = shelf.book(name)?;
    Some((Arc::from(book.signature.as_str()), hover::of_book(&book)))
}
