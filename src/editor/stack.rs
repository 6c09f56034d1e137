//! The names in scope while a tree is walked.

use std::collections::HashMap;
use std::sync::Arc;

/// Names in scope with their definitions, innermost last. A name is found at once, however many there are.
#[derive(Debug, Default)]
pub(super) struct Stack {
    names: Vec<(Arc<str>, usize)>,
    /// Where each name stands in `names`, innermost last.
    places: HashMap<Arc<str>, Vec<usize>>,
}

impl Stack {
    /// How many names are in scope.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// A name comes into scope.
    pub(super) fn enter(&mut self, name: &Arc<str>, def: usize) {
        self.places.entry(name.clone()).or_default().push(self.names.len());
        self.names.push((name.clone(), def));
    }

    /// All but the first `count` names go out of scope; gives their definitions.
    pub(super) fn leave(&mut self, count: usize) -> Vec<usize> {
        let gone = self.names.drain(count..).map(|(name, def)| {
            if let Some(places) = self.places.get_mut(&name) {
                places.pop();
            }
            def
        });
        gone.collect()
    }

    /// The definitions of all but the first `count` names.
    pub(super) fn since(&self, count: usize) -> impl Iterator<Item = usize> {
        self.names[count..].iter().map(|(_, def)| *def)
    }

    /// What a name stands for.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.places.get(name)?.last().map(|at| self.names[*at].1)
    }

    /// Whether a name is one of all but the first `count`.
    pub(super) fn has_since(&self, name: &str, count: usize) -> bool {
        self.places.get(name).and_then(|places| places.last()).is_some_and(|at| *at >= count)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Stack;

    #[test]
    fn inner_names_hide_outer_ones_until_they_leave() {
        let mut stack = Stack::default();
        let (a, b) = (Arc::from("a"), Arc::from("b"));
        stack.enter(&a, 0);
        stack.enter(&b, 1);
        stack.enter(&a, 2);
        assert_eq!((stack.find("a"), stack.find("b"), stack.find("c")), (Some(2), Some(1), None));
        assert_eq!((stack.has_since("a", 2), stack.has_since("b", 2)), (true, false));
        assert_eq!(stack.since(1).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(stack.leave(1), [1, 2]);
        assert_eq!((stack.find("a"), stack.find("b")), (Some(0), None));
    }
}
