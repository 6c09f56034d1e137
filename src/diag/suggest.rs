//! Did-you-mean: the candidate nearest to a misspelt name.

/// The candidate with the smallest edit distance to `name`, if it is near enough to be
/// a misspelling (at most a third of the letters, and at least one edit allowed; names of one or
/// two letters are told apart by every letter, so of them only the case may differ, or one letter
/// be missing). Ties go to the candidate that comes first in the alphabet. Where none is near enough, the only one that
/// goes on as a name of three letters or more.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    misspelt(name, &candidates).or_else(|| begun(name, &candidates))
}

fn begun(name: &str, candidates: &[&str]) -> Option<String> {
    let small = name.to_lowercase();
    let mut goes_on = candidates.iter().filter(|candidate| candidate.to_lowercase().starts_with(&small));
    match (goes_on.next(), goes_on.next()) {
        (Some(one), None) if name.chars().count() >= 3 && *one != name => Some((*one).to_string()),
        _ => None,
    }
}

fn misspelt(name: &str, candidates: &[&str]) -> Option<String> {
    let limit = match name.chars().count() {
        0..=2 => 0,
        letters => (letters / 3).max(1),
    };
    let wanted = letters(name);
    let grown = |candidate: &str| limit == 0 && wanted.len() == 2 && candidate.chars().count() == 3;
    // Every letter that one of them has more is an edit.
    let far = |candidate: &str| wanted.len().abs_diff(candidate.chars().take(MOST).count()) > limit.max(1);
    candidates
        .iter()
        .filter(|candidate| **candidate != name && !far(candidate))
        .map(|candidate| (distance(&wanted, &letters(candidate)), *candidate))
        .filter(|(far, candidate)| *far <= limit || (*far == 1 && grown(candidate)))
        .min()
        .map(|(_, candidate)| candidate.to_string())
}

/// So many letters of a name are compared.
const MOST: usize = 64;

fn letters(name: &str) -> Vec<char> {
    name.chars().take(MOST).map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect()
}

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of
/// neighbours count one each; letters are compared without regard to case.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let swap = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + swap);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_misspellings_and_leaves_strangers_alone() {
        assert_eq!(nearest("lmbda", ["lambda", "rho"]), Some("lambda".into()));
        assert_eq!(nearest("itn", ["int", "in"]), Some("in".into()));
        assert_eq!(nearest("mena", ["mean", "max"]), Some("mean".into()));
        assert_eq!(nearest("x", ["weights"]), None);
        assert_eq!(nearest("w", ["e", "W"]), Some("W".into()));
        assert_eq!(nearest("lr", ["l1"]), None);
        assert_eq!(nearest("fi", ["fit", "hi"]), Some("fit".into()));
        assert_eq!(nearest("ft", ["fit", "fits"]), Some("fit".into()));
        assert_eq!(nearest("progress", ["age", "Progression, 1yr"]), Some("Progression, 1yr".into()));
        assert_eq!(nearest("soft", ["softmax", "softplus"]), None);
    }
}
