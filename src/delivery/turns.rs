//! What waits for one subscriber: keys take turns, so that many events of one hold up no other.

use std::collections::VecDeque;

/// Things that wait, in order for each key.
#[derive(Debug)]
pub(crate) struct Turns<T> {
    /// The key whose turn is next first; none without something that waits.
    keys: VecDeque<(String, VecDeque<T>)>,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { keys: VecDeque::new() }
    }
}

impl<T> Turns<T> {
    /// Puts something behind what waits for its key.
    pub(crate) fn push(&mut self, key: String, one: T) {
        match self.keys.iter_mut().find(|(known, _)| *known == key) {
            Some((_, waiting)) => waiting.push_back(one),
            None => self.keys.push_back((key, VecDeque::from([one]))),
        }
    }

    /// Takes the oldest of the key whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let (key, mut waiting) = self.keys.pop_front()?;
        let one = waiting.pop_front();
        if !waiting.is_empty() {
            self.keys.push_back((key, waiting));
        }
        one
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.keys.iter().map(|(_, waiting)| waiting.len()).sum()
    }

    /// Gives all up.
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_later_waits_for_one_of_another_and_order_within_a_key_holds() {
        let mut turns = Turns::default();
        for number in 0..5 {
            turns.push("a".to_owned(), ("a", number));
        }
        turns.push("b".to_owned(), ("b", 0));
        turns.push("b".to_owned(), ("b", 1));
        assert_eq!(turns.len(), 7);
        let order: Vec<_> = std::iter::from_fn(|| turns.pop()).collect();
        assert_eq!(order, [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("a", 3), ("a", 4)]);
        turns.push("a".to_owned(), ("a", 5));
        turns.clear();
        assert_eq!((turns.len(), turns.pop()), (0, None));
    }
}
