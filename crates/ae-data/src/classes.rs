//! Classes from the values of a file.

use std::collections::HashMap;

use crate::{Labels, Result};

/// Collects one value per sample. Each distinct value is a class.
#[derive(Default)]
pub(crate) struct Classes {
    /// The index of each value, in order of appearance.
    known: HashMap<String, u32>,
    rows: Vec<u32>,
}

impl Classes {
    pub(crate) fn push(&mut self, value: &str) {
        let next = self.known.len() as u32;
        let class = match self.known.get(value) {
            Some(class) => *class,
            None => *self.known.entry(value.to_owned()).or_insert(next),
        };
        self.rows.push(class);
    }

    /// The labels. Classes are in numerical order if all values are integers, else in the order of
    /// their bytes.
    pub(crate) fn finish(self) -> Result<Labels> {
        let mut values: Vec<(String, u32)> = self.known.into_iter().collect();
        values.sort();
        if values.iter().all(|(value, _)| value.parse::<i128>().is_ok()) {
            values.sort_by_key(|(value, _)| value.parse::<i128>().ok());
        }
        let mut class = vec![0; values.len()];
        for (sorted, (_, appeared)) in (0..).zip(&values) {
            class[*appeared as usize] = sorted;
        }
        let rows = self.rows.iter().map(|appeared| class[*appeared as usize]).collect();
        Labels::new(rows, values.into_iter().map(|(value, _)| value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[&str]) -> (Vec<u32>, Vec<String>) {
        let mut classes = Classes::default();
        values.iter().for_each(|value| classes.push(value));
        let labels = classes.finish().unwrap();
        (labels.classes().to_vec(), labels.names().to_vec())
    }

    #[test]
    fn integers_are_sorted_as_numbers_and_others_as_text() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(labels(&["10", "9", "-1", "9"]), (vec![2, 1, 0, 1], names(&["-1", "9", "10"])));
        assert_eq!(
            labels(&["10", "9", "b", "a"]),
            (vec![0, 1, 3, 2], names(&["10", "9", "a", "b"]))
        );
    }
}
