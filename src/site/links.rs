//! Which name of a program means which declaration.
//!
//! A name that a statement binds itself, as a parameter, a variable, a state or the variable of a loop, is no
//! link anywhere in that statement.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::unit::{Unit, range};
use crate::syntax::Class;
use crate::syntax::ast::{Stmt, StmtKind};

/// Where names are told: addresses by names.
pub type Names = BTreeMap<String, String>;

/// A piece of a program's text.
pub type Piece = (Range<usize>, Class);

/// Names with a meaning of their own in the body of an optimizer.
const OPTIMIZER: [&str; 5] = ["x", "g", "f", "t", "steps"];

/// What a program declares at its top level, with the addresses.
pub fn own(unit: &Unit) -> Names {
    // The first of several of one name is the one that the others are in conflict with.
    unit.declared.iter().rev().map(|declared| (declared.name.clone(), unit.href(declared))).collect()
}

/// Types that are functions too, where they are called.
const TYPES: [&str; 3] = ["real", "int", "bool"];

/// The address of every piece that is a name of a declaration; an empty one is of a name that is told nowhere.
pub fn links<'n>(
    text: &str,
    pieces: &[Piece],
    items: &[Stmt],
    own: &'n Names,
    library: &'n Names,
) -> Vec<Option<&'n str>> {
    let mut found = vec![None; pieces.len()];
    for item in items {
        let place = range(item.span);
        let first = pieces.partition_point(|(piece, _)| piece.start < place.start);
        let last = pieces.partition_point(|(piece, _)| piece.start < place.end);
        let words = Words { text, pieces: pieces.get(first..last).unwrap_or_default() };
        let bound = words.bound(item);
        for at in 0..words.pieces.len() {
            let Some(name) = words.mention(at).filter(|name| !bound.contains(name)) else { continue };
            found[first + at] = own.get(name).or_else(|| library.get(name)).map(String::as_str);
        }
    }
    found
}

/// The pieces of one statement.
struct Words<'t> {
    text: &'t str,
    pieces: &'t [Piece],
}

impl<'t> Words<'t> {
    fn word(&self, at: usize) -> &'t str {
        self.pieces.get(at).and_then(|(place, _)| self.text.get(place.clone())).unwrap_or_default()
    }

    fn name(&self, at: usize) -> Option<&'t str> {
        let (_, class) = self.pieces.get(at)?;
        (*class == Class::Name).then(|| self.word(at))
    }

    /// A name where it stands for a value: no field, no name of an argument.
    fn mention(&self, at: usize) -> Option<&'t str> {
        let field = at > 0 && self.word(at - 1) == ".";
        let named = matches!(self.word(at + 1), "=" | ":");
        let ty = TYPES.contains(&self.word(at)) && self.word(at + 1) != "(";
        self.name(at).filter(|_| !field && !named && !ty)
    }

    /// The names that the statement binds inside itself.
    fn bound(&self, item: &Stmt) -> BTreeSet<&'t str> {
        let mut bound = BTreeSet::new();
        match &item.kind {
            StmtKind::Optimizer(_) => bound.extend(OPTIMIZER),
            // Names that are not called stand for anything in a rule.
            StmtKind::Rule(_) => {
                bound.extend(
                    (0..self.pieces.len())
                        .filter(|at| self.word(at + 1) != "(")
                        .filter_map(|at| self.name(at)),
                );
            }
            _ => {}
        }
        let top = matches!(item.kind, StmtKind::Let { .. } | StmtKind::Var { .. } | StmtKind::Draw { .. });
        let mut open: Vec<(usize, &str)> = Vec::new();
        for at in 0..self.pieces.len() {
            match self.word(at) {
                "let" | "var" if at == 0 && top => {}
                "let" | "var" | "for" | "each" | "param" | "report" => self.until(at + 1, &mut bound),
                "derivative" | "prox" => self.until(at + 1, &mut bound),
                "->" => self.parameters(at, &mut bound),
                "over" => bound.extend(self.name(at + 1)),
                sign @ ("(" | "[" | "{") => open.push((at, sign)),
                ")" | "]" | "}" => {
                    open.pop();
                }
                // A parameter with its type, a field, a state.
                ":" => bound.extend(at.checked_sub(1).and_then(|before| self.name(before))),
                "=" if open.last().is_some_and(|(_, sign)| *sign == "{") => {
                    bound.extend(at.checked_sub(1).and_then(|before| self.name(before)));
                }
                _ => {}
            }
        }
        self.head(item, &mut bound);
        bound
    }

    /// The names of a pattern, as far as what follows it.
    fn until(&self, from: usize, bound: &mut BTreeSet<&'t str>) {
        for at in from..self.pieces.len() {
            match (self.word(at), self.name(at)) {
                (_, Some(name)) => bound.extend([name]),
                ("(" | ")" | ",", _) => {}
                _ => return,
            }
        }
    }

    /// The names before the arrow of a function without a name.
    fn parameters(&self, arrow: usize, bound: &mut BTreeSet<&'t str>) {
        let mut at = arrow;
        let mut depth = 0_usize;
        while let Some(before) = at.checked_sub(1) {
            at = before;
            match (self.word(at), self.name(at)) {
                (")", _) => depth += 1,
                ("(", _) if depth == 1 => {
                    // The bracket of a declaration closes its parameters, which are found by their types.
                    let head = at > 0 && self.name(at - 1).is_some();
                    if !head {
                        bound.extend((at..arrow).filter_map(|k| self.name(k)));
                    }
                    return;
                }
                ("(", _) => depth = depth.saturating_sub(1),
                (_, Some(name)) if depth == 0 => {
                    bound.extend([name]);
                    return;
                }
                _ if depth == 0 => return,
                _ => {}
            }
        }
    }

    /// The parameters of a declaration, with types or without.
    fn head(&self, item: &Stmt, bound: &mut BTreeSet<&'t str>) {
        let declares = matches!(
            item.kind,
            StmtKind::Fn(_)
                | StmtKind::Primitive(_)
                | StmtKind::Objective(_)
                | StmtKind::Optimizer(_)
                | StmtKind::Members(_)
        );
        let Some(open) = (0..self.pieces.len()).find(|at| self.word(*at) == "(").filter(|_| declares) else {
            return;
        };
        let mut depth = 0_usize;
        for at in open..self.pieces.len() {
            match self.word(at) {
                "(" | "[" => depth += 1,
                ")" | "]" if depth <= 1 => return,
                ")" | "]" => depth -= 1,
                _ if depth == 1 && matches!(self.word(at - 1), "(" | ",") => bound.extend(self.name(at)),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, links};
    use crate::diag::FileId;
    use crate::syntax::{classes, parse_file};

    /// The words of a text that are links, in their order.
    fn linked(text: &str) -> Vec<String> {
        let names = ["sqrt", "norm", "mean", "adam", "sum", "t", "momentum", "dx", "real"];
        let library: Names = names.iter().map(|name| (name.to_string(), format!("{name}.html"))).collect();
        let (file, reports) = parse_file(FileId::default(), text);
        assert!(reports.is_empty(), "{reports:?}");
        let pieces = classes(text);
        let own = Names::new();
        let found = links(text, &pieces, &file.items, &own, &library);
        let named = pieces.iter().zip(found).filter(|(_, link)| link.is_some());
        named.map(|((place, _), _)| text[place.clone()].to_string()).collect()
    }

    #[test]
    fn names_are_links_where_they_mean_a_declaration() {
        assert_eq!(linked("print sqrt(2.0), norm([1.0])\n"), ["sqrt", "norm"]);
        assert_eq!(linked("fn f(mean: real[n]) = mean + sqrt(2)\n"), ["sqrt"]);
        assert_eq!(linked("fn f(mean) = sum(mean)\n"), ["sum"]);
        assert_eq!(linked("print (norm -> sqrt(norm))(2.0), ((mean, t) -> mean)(1.0, 2.0)\n"), ["sqrt"]);
        assert_eq!(linked("print sum(t for t in [1.0]), fit.mean, mean = mean([1.0])\n"), ["sum", "mean"]);
        assert_eq!(linked("let mean: real = real(1)\n"), ["real"]);
        assert_eq!(linked("fn f(x: real) = { let norm = sqrt(x)\n  norm }\n"), ["sqrt"]);
        assert_eq!(
            linked(
                "optimizer o(momentum: real = sqrt(2)) {\n  state m = norm(x)\n  step { x -= t*m*momentum }\n}\n"
            ),
            ["sqrt", "norm"]
        );
        assert_eq!(linked("minimize sum(t^2) over t = [1.0] using adam(lr = 0.1)\n"), ["sum", "adam"]);
        assert_eq!(linked("rule a: sqrt(mean)^2 => mean\n"), ["sqrt"]);
        assert_eq!(linked("fn f(x: real) -> real = x^2\n  derivative dx -> 2*x*dx\n"), Vec::<String>::new());
    }
}
