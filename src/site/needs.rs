//! What an optimizer asks of a problem, read from its text.

use crate::syntax::{Class, classes};

/// Functions of the problem, and what calling them asks for.
const CALLS: [(&str, &str); 8] = [
    ("grad", "gradients where it wants them"),
    ("value_and_grad", "gradients where it wants them"),
    ("hvp", "products of the Hessian with vectors"),
    ("hessian", "the Hessian"),
    ("jacobian", "Jacobians"),
    ("jvp", "products of Jacobians with vectors"),
    ("vjp", "products of Jacobians with vectors"),
    ("linearize", "products of Jacobians with vectors"),
];

/// Views of the problem, and what they are.
const VIEWS: [(&str, &str); 7] = [
    ("fresh", "minibatches drawn anew"),
    ("full", "all data"),
    ("on", "chosen rows"),
    ("each", "values of single examples"),
    ("residuals", "residuals: a sum of squares, or equations"),
    ("outputs", "the outputs of the model"),
    ("loss", "the loss of given outputs"),
];

/// What the text of an optimizer asks for, in a fixed order.
pub fn needs(text: &str, takes_optimizer: bool) -> Vec<&'static str> {
    let pieces = classes(text);
    let kept: Vec<(&str, Class)> = pieces
        .into_iter()
        .filter(|(_, class)| !matches!(class, Class::Comment | Class::Doc))
        .filter_map(|(place, class)| Some((text.get(place)?, class)))
        .collect();
    let word = |at: usize| kept.get(at).map_or("", |(word, _)| *word);
    let is = |words: &[&str]| (0..kept.len()).any(|at| (0..words.len()).all(|k| word(at + k) == words[k]));
    let gradient = (0..kept.len()).any(|at| word(at) == "g" && word(at + 1) != "=");
    let mut found = Vec::new();
    let mut add = |told: &'static str, needed: bool| {
        if needed && !found.contains(&told) {
            found.push(told);
        }
    };
    add("another optimizer", takes_optimizer);
    add("the gradient", gradient);
    for (name, told) in CALLS {
        add(told, is(&[name, "(", "f"]));
    }
    for (name, told) in VIEWS {
        add(told, is(&["f", ".", name]));
    }
    let handed = (1..kept.len()).any(|at| {
        let called = kept.get(at.wrapping_sub(2)).is_some_and(|(name, class)| {
            *class == Class::Name && !CALLS.iter().any(|(known, _)| known == name)
        });
        word(at) == "f" && matches!(word(at - 1), "(" | ",") && called && word(at + 1) != "."
    });
    add("values where it wants them", is(&["f", "("]) || handed);
    add("random numbers", is(&["~"]));
    add("arrays by their kind", is(&["each"]));
    found
}

#[cfg(test)]
mod tests {
    use super::needs;

    #[test]
    fn needs_are_read_from_the_text() {
        assert_eq!(needs("optimizer o() { step { x -= g } }", false), ["the gradient"]);
        let text =
            "optimizer o() { // g\n step { let d: real[2] ~ normal()\n if f(x + d) < f(x) { x = x + d } } }";
        assert_eq!(needs(text, false), ["values where it wants them", "random numbers"]);
        let text = "optimizer o(base: optimizer) { step { x += base.step(g = grad(f.full)(x)) } }";
        assert_eq!(needs(text, true), ["another optimizer", "gradients where it wants them", "all data"]);
        let text = "optimizer o() { step { x -= hessian(f)(x) @ hvp(f, x, x) } }";
        assert_eq!(needs(text, false), ["products of the Hessian with vectors", "the Hessian"]);
    }
}
